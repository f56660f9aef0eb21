import { useRef, useState } from 'preact/hooks';
import { asProblem } from '../door.js';
import { number } from '../parts/format.js';
import { html } from '../parts/html.js';
import { t } from '../words/words.js';

/** Calls that are under way at once. */
const AT_ONCE = 4;

/** Runs a step for each, some at once. @template T @param {readonly T[]} list @param {(one: T) => Promise<void>} step */
export async function forEach(list, step) {
  let at = 0;
  const run = async () => {
    while (at < list.length) {
      const one = /** @type {T} */ (list[at]);
      at += 1;
      await step(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
}

/** Work on many objects: how far it is, what failed, and a way to stop it. */
export function useWork() {
  const [busy, setBusy] = useState(false);
  const [count, setCount] = useState(0);
  const stop = useRef(new AbortController());
  /**
   * Runs work that hands what it finds to `each`, in parts.
   * @param {(each: (list: string[], step: (one: string) => Promise<void>) => Promise<void>, signal: AbortSignal) => Promise<void>} task
   */
  const run = async (task) => {
    const signal = (stop.current = new AbortController()).signal;
    let [done, problems] = [0, 0];
    /** @type {import('../door.js').Problem | null} */
    let first = null;
    const failed = (/** @type {unknown} */ error) => {
      if (signal.aborted) return;
      problems += 1;
      first ??= asProblem(error);
    };
    setBusy(true);
    setCount(0);
    try {
      await task(
        (list, step) =>
          forEach(list, async (one) => {
            if (signal.aborted) return;
            try {
              await step(one);
              done += 1;
              if (done % 20 === 0) setCount(done);
            } catch (error) {
              failed(error);
            }
          }),
        signal,
      );
    } catch (error) {
      failed(error);
    }
    setBusy(false);
    return { count: done, problems, first, stopped: signal.aborted };
  };
  const view = busy && count > 0 && html`<p class="small mid" role="status">${t('work.done', { n: number(count) })}</p>`;
  return { busy, run, view, stop: () => stop.current.abort() };
}
