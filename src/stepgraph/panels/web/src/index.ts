/** What anywidget loads: one link a model, one panel a view. */
import { Link, type Model } from "./link";
import { Panel } from "./panel";

export default () => {
  let link: Link | undefined;
  return {
    initialize({ model }: { model: Model }) {
      link = new Link(model);
      return () => link?.close();
    },
    render({ model, el }: { model: Model; el: HTMLElement }) {
      const panel = new Panel((link ??= new Link(model)), el);
      return () => panel.remove();
    },
  };
};
