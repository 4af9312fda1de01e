/** Has the images of an app on the engine before anything is started, within a time: who only tries something out must not wait for a slow or unreachable registry. */
import type Docker from 'dockerode';
import { engineMessage } from './failure.ts';
import { ensureImage, hasImage } from './images.ts';

export interface PullPatience {
  /** Without a word from the registry, in ms. */
  readonly silentMs: number;
  /** For all images together, in ms. */
  readonly totalMs: number;
}

/** Undefined = all are there; else why not, with the first image that is missing. `onPull` is told once what will be pulled. */
export async function imagesProblem(
  docker: Docker,
  images: readonly string[],
  patience: PullPatience,
  onPull: (missing: readonly string[]) => void,
): Promise<string | undefined> {
  const known = await Promise.all(images.map((image) => hasImage(docker, image)));
  const missing = images.filter((_, index) => !known[index]);
  if (missing.length === 0) return undefined;
  onPull(missing);
  const end = new AbortController();
  const stopAfter = (ms: number, why: string) => setTimeout(() => end.abort(new Error(why)), ms);
  const total = stopAfter(patience.totalMs, `was not pulled within ${patience.totalMs / 1000} s`);
  const silent = stopAfter(patience.silentMs, `its registry says nothing for ${patience.silentMs / 1000} s`);
  let problem: string | undefined;
  const pull = async (image: string) => {
    const options = { signal: end.signal, onProgress: () => void silent.refresh() };
    const cause = await ensureImage(docker, image, options).catch((error: unknown) =>
      end.signal.aborted ? (end.signal.reason as Error).message : engineMessage(error),
    );
    if (cause === undefined) return;
    problem ??= `${image}: ${cause}`;
    end.abort(new Error('is not needed any more')); // one that cannot be had is enough
  };
  await Promise.all(missing.map(pull));
  clearTimeout(total);
  clearTimeout(silent);
  return problem;
}
