// The names of a folder, as far as someone looks: pages by name from the server, the far ones let go and read again.
import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, at, call, readLines } from '../door.js';

/** @typedef {{ key: string, folder: boolean, bytes?: number, modified?: string, etag?: string }} Entry */
/** @typedef {{ after: string | undefined, count: number, items: Entry[] | null }} Page */

/** Entries of a page. */
const PAGE_ENTRIES = 1_000;

/** Pages that are held at once. */
const PAGES_HELD = 30;

/** Names that can be scrolled through; browsers draw no longer page. What is behind is jumped to. */
const ROWS_MAX = 500_000;

/** Names that sorting by size or time looks at. */
export const SORTED_MAX = 10_000;

/** Rows before the end of what is known from which on more is asked for. */
const AHEAD = 300;

/** How long typing rests before the server is asked, in milliseconds. */
const TYPING_REST = 200;

/**
 * @typedef {{ by: 'name' | 'bytes' | 'modified', down: boolean }} Order
 * @typedef {{ count: number, whole: boolean, full: boolean, get: (index: number) => Entry | undefined, ensure: (from: number, to: number) => void,
 *   loaded: () => Entry[], problem: import('../door.js').Problem | null, stuck: import('../door.js').Problem | null, goOn: () => void, again: () => void, busy: boolean, read: number }} Listing
 */

/**
 * What is in a folder and begins with some letters.
 * @param {string} bucket @param {string} prefix @param {string} start @param {Order} order @param {boolean} off
 * @returns {Listing}
 */
export function useListing(bucket, prefix, start, order, off) {
  const [, draw] = useState(0);
  const [turn, setTurn] = useState(0);
  const state = useRef(fresh());
  const redraw = () => draw((value) => value + 1);

  useEffect(() => {
    if (off) return undefined;
    const mine = fresh();
    const begin = async () => {
      try {
        await loadNext(bucket, prefix, start, mine);
        while (order.by !== 'name' && mine.next !== undefined && mine.count < SORTED_MAX) await loadNext(bucket, prefix, start, mine);
        arrange(mine, order);
      } catch (error) {
        mine.problem = asProblem(error);
      }
      if (mine.over) return;
      state.current = mine;
      redraw();
    };
    const timer = setTimeout(begin, start === '' ? 0 : TYPING_REST);
    return () => {
      mine.over = true;
      clearTimeout(timer);
    };
  }, [bucket, prefix, start, order.by, order.down, turn, off]);

  const now = state.current;
  /** @param {number} from @param {number} to */
  const ensure = (from, to) => {
    if (now.sorted || now.loading || now.stuck) return;
    const first = Math.floor(from / PAGE_ENTRIES);
    const wanted = now.pages.findIndex((page, index) => page.items === null && index >= first - 1 && index <= Math.floor(to / PAGE_ENTRIES) + 1);
    const more = to > now.count - AHEAD && now.next !== undefined && now.count < ROWS_MAX;
    if (wanted === -1 && !more) return;
    now.loading = true;
    const step = wanted === -1 ? loadNext(bucket, prefix, start, now) : loadAgain(bucket, prefix, start, now, wanted);
    step
      .then(() => letGo(now, first))
      .catch((error) => {
        // What came before stays, and who looks decides when to ask again.
        now.stuck = asProblem(error);
      })
      .finally(() => {
        now.loading = false;
        if (!now.over) redraw();
      });
  };
  return {
    count: now.count,
    whole: now.next === undefined && now.asked,
    full: now.count >= ROWS_MAX,
    get: (index) => (now.sorted ? now.sorted[index] : at_(now, index)),
    ensure,
    loaded: () => now.sorted ?? now.pages.flatMap((page) => page.items ?? []),
    problem: now.problem,
    stuck: now.stuck,
    goOn: () => {
      now.stuck = null;
      redraw();
    },
    again: () => setTurn((value) => value + 1),
    busy: !now.asked && now.problem === null,
    read: 0,
  };
}

function fresh() {
  return {
    /** @type {Page[]} */ pages: [],
    /** @type {Entry[] | null} */ sorted: null,
    /** @type {string | undefined} */ next: undefined,
    /** @type {import('../door.js').Problem | null} */ problem: null,
    /** @type {import('../door.js').Problem | null} */ stuck: null,
    count: 0,
    asked: false,
    loading: false,
    over: false,
  };
}

/** @typedef {ReturnType<typeof fresh>} State */

/** @param {State} state @param {number} index */
function at_(state, index) {
  // Each page but the last is full, but for the object that stands for the folder itself.
  let before = 0;
  for (const page of state.pages) {
    if (index < before + page.count) return page.items?.[index - before];
    before += page.count;
  }
  return undefined;
}

/** @param {string} bucket @param {string} prefix @param {string} start @param {string | undefined} after */
async function ask(bucket, prefix, start, after) {
  const page = await call('GET', `${at(bucket)}/entries`, { query: { prefix: prefix + start, after, limit: PAGE_ENTRIES } });
  // The object that stands for the folder itself is no entry of it.
  return { items: /** @type {Entry[]} */ (page.items.filter((/** @type {Entry} */ entry) => entry.key !== prefix)), next: page.next };
}

/** @param {string} bucket @param {string} prefix @param {string} start @param {State} state */
async function loadNext(bucket, prefix, start, state) {
  const after = state.next;
  const { items, next } = await ask(bucket, prefix, start, after);
  state.pages.push({ after, count: items.length, items });
  state.count += items.length;
  state.next = next;
  state.asked = true;
}

/** @param {string} bucket @param {string} prefix @param {string} start @param {State} state @param {number} index */
async function loadAgain(bucket, prefix, start, state, index) {
  const page = state.pages[index];
  if (!page) return;
  const { items } = await ask(bucket, prefix, start, page.after);
  page.items = items;
  state.count += items.length - page.count;
  page.count = items.length;
}

/** Lets pages go that are far from where someone looks. @param {State} state @param {number} near */
function letGo(state, near) {
  const held = state.pages.map((page, index) => ({ page, far: Math.abs(index - near) })).filter(({ page }) => page.items !== null);
  held.sort((one, other) => other.far - one.far);
  for (const { page } of held.slice(0, Math.max(0, held.length - PAGES_HELD))) page.items = null;
}

/** Folders stand first where all is known; elsewhere the order of the server stays. @param {State} state @param {Order} order */
function arrange(state, order) {
  if (state.next !== undefined && order.by === 'name') return;
  const entries = state.pages.flatMap((page) => page.items ?? []);
  const value = (/** @type {Entry} */ entry) => (order.by === 'bytes' ? (entry.bytes ?? -1) : order.by === 'modified' ? (entry.modified ?? '') : '');
  const files = entries.filter((one) => !one.folder);
  if (order.by !== 'name') files.sort((one, other) => (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : 0));
  const folders = entries.filter((one) => one.folder);
  if (order.down) files.reverse();
  if (order.down && order.by === 'name') folders.reverse();
  if (folders.length > 0 || order.by !== 'name' || order.down) state.sorted = [...folders, ...files];
}

/**
 * What a search of the server finds below a prefix, as it comes.
 * @param {string} bucket @param {string} prefix @param {string} text @param {boolean} off
 * @returns {Listing & { stop: () => void, next: string | undefined, more: () => void }}
 */
export function useSearch(bucket, prefix, text, off) {
  const [hits, setHits] = useState(/** @type {Entry[]} */ ([]));
  const [read, setRead] = useState(0);
  const [busy, setBusy] = useState(false);
  const [next, setNext] = useState(/** @type {string | undefined} */ (undefined));
  const [after, setAfter] = useState(/** @type {string | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [turn, setTurn] = useState(0);
  const stop = useRef(new AbortController());

  useEffect(() => setAfter(undefined), [text]);

  useEffect(() => {
    if (off || text === '') return undefined;
    const mine = new AbortController();
    stop.current = mine;
    const begin = async () => {
      if (after === undefined) setHits([]);
      setNext(undefined);
      setProblem(null);
      setBusy(true);
      /** @type {Entry[]} */
      let some = [];
      let wait = 0;
      const flush = () => {
        const came = some;
        [some, wait] = [[], 0];
        if (came.length > 0 && !mine.signal.aborted) setHits((before) => [...before, ...came]);
      };
      try {
        await readLines(`${at(bucket)}/search`, { prefix, q: text, after }, mine.signal, (line) => {
          if (line.hit) some.push(line.hit);
          if (line.read !== undefined) setRead(line.read);
          if (line.next) setNext(line.next);
          if (wait === 0) wait = setTimeout(flush, 100);
        });
      } catch (error) {
        if (!mine.signal.aborted) setProblem(asProblem(error));
      }
      clearTimeout(wait);
      flush();
      if (stop.current === mine) setBusy(false);
    };
    const timer = setTimeout(begin, after === undefined ? TYPING_REST : 0);
    return () => {
      clearTimeout(timer);
      mine.abort();
    };
  }, [bucket, prefix, text, off, after, turn]);

  return {
    count: hits.length,
    whole: !busy,
    full: false,
    get: (index) => hits[index],
    ensure: () => {},
    loaded: () => hits,
    problem,
    stuck: null,
    goOn: () => {},
    again: () => setTurn((value) => value + 1),
    busy,
    read,
    stop: () => stop.current.abort(),
    next,
    more: () => setAfter(next),
  };
}
