import { useEffect, useState } from 'preact/hooks';
import { asProblem } from '../door.js';

/** How often figures are asked for while someone looks, in milliseconds. */
const EVERY = 5_000;

/**
 * Asks again and again while the page is seen. What came last stays while a later call fails.
 * @template T @param {() => Promise<T>} ask
 * @returns {{ data: T | undefined, problem: import('../door.js').Problem | null, at: Date | undefined, again: () => void }}
 */
export function usePoll(ask) {
  const [data, setData] = useState(/** @type {T | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [at, setAt] = useState(/** @type {Date | undefined} */ (undefined));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let over = false;
    /** @type {number | undefined} */
    let timer;
    const run = async () => {
      try {
        const came = await ask();
        if (over) return;
        setData(() => came);
        setProblem(null);
        setAt(new Date());
      } catch (error) {
        if (!over) setProblem(asProblem(error));
      }
      if (!over && !document.hidden) timer = setTimeout(run, EVERY);
    };
    const seen = () => {
      clearTimeout(timer);
      if (!document.hidden) run();
    };
    run();
    document.addEventListener('visibilitychange', seen);
    return () => {
      over = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [turn]);
  return { data, problem, at, again: () => setTurn(turn + 1) };
}
