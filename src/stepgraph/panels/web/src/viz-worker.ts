/** Graphviz as WebAssembly in a worker: DOT in, Graphviz's JSON out. Sent to the page only when the kernel has no `dot`. */
import { instance } from "@viz-js/viz";

self.onmessage = async (event: MessageEvent<string>) => {
  try {
    const viz = await instance();
    self.postMessage({ text: viz.renderString(event.data, { format: "json0", engine: "dot" }) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
