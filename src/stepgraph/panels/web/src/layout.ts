/** Graphviz in the page, for kernels without a `dot` program: fetched from the kernel, run in a worker, given up after a while. */
import type { Link } from "./link";

const LIMIT = 30_000;

/** Lay out DOT here and tell the kernel, which sends the positions to every view. */
export async function layOutHere(link: Link, source: string): Promise<void> {
  const [packed] = (await link.ask("asset", { name: "viz.js" })) as DataView[];
  if (!packed) throw new Error("The kernel sent no layout program.");
  const script = await unpack(packed);
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url);
  try {
    const layout = await run(worker, source);
    await link.ask("layout", { source, layout });
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
}

async function unpack(packed: DataView): Promise<string> {
  const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength).slice();
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function run(worker: Worker, source: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error("The layout took too long.")), LIMIT);
    worker.onmessage = ({ data }: MessageEvent<{ text?: string; error?: string }>) => {
      clearTimeout(limit);
      if (data.text !== undefined) resolve(data.text);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => { clearTimeout(limit); reject(new Error(event.message)); };
    worker.postMessage(source);
  });
}
