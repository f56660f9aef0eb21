// Uploads: a queue, two files at once, parts that are kept stay. Nothing of a file but its parts' numbers is remembered.
import { computed, signal } from '@preact/signals';
import { Problem, asProblem, at, call, sendBytes } from '../door.js';

/**
 * @typedef {'queued' | 'sending' | 'paused' | 'conflict' | 'failed' | 'done' | 'cancelled'} State
 * @typedef {{ id: number, file: File, bucket: string, key: string, state: State, sent: number, replace: boolean, problem?: Problem,
 *   upload?: { id: string, partBytes: number, parts: { number: number, bytes: number, etag: string }[] }, stop?: AbortController }} Upload
 */

/** Up to here a file goes in one piece. */
const WHOLE_BYTES_MAX = 8 * 1024 * 1024;

/** Files that are sent at once. */
const AT_ONCE = 2;

/** Rests between tries, in milliseconds; the last one again and again. */
const RESTS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** @type {import('@preact/signals').Signal<Upload[]>} */
export const uploads = signal([]);

/** How far all of them are. */
export const summary = computed(() => {
  const counted = uploads.value.filter((one) => one.state !== 'cancelled');
  const bytes = counted.reduce((sum, one) => sum + one.file.size, 0);
  const sent = counted.reduce((sum, one) => sum + (one.state === 'done' ? one.file.size : one.sent), 0);
  const waiting = counted.filter((one) => one.state !== 'done').length;
  const problems = counted.filter((one) => one.state === 'failed' || one.state === 'conflict').length;
  return { files: counted.length, waiting, problems, bytes, sent, percent: bytes === 0 ? 0 : Math.floor((sent / bytes) * 100) };
});

/** Is told of each file that is kept. @type {Set<(upload: Upload) => void>} */
export const arrivals = new Set();

let lastId = 0;

/** Puts files into the queue. @param {string} bucket @param {{ file: File, key: string }[]} files */
export function enqueue(bucket, files) {
  const made = files.map(({ file, key }) => {
    lastId += 1;
    return /** @type {Upload} */ ({ id: lastId, file, bucket, key, state: 'queued', sent: 0, replace: false });
  });
  uploads.value = [...uploads.value, ...made];
  work();
}

/** @param {number} id */
const find = (id) => uploads.value.find((one) => one.id === id);

/** @param {number} id @param {Partial<Upload>} change */
function change(id, change) {
  uploads.value = uploads.value.map((one) => (one.id === id ? { ...one, ...change } : one));
}

/** Begins as many as may be sent at once. */
function work() {
  const sending = uploads.value.filter((one) => one.state === 'sending').length;
  for (const next of uploads.value.filter((one) => one.state === 'queued').slice(0, AT_ONCE - sending)) send(next.id);
}

/** @param {number} id */
async function send(id) {
  const stop = new AbortController();
  change(id, { state: 'sending', stop, problem: undefined });
  try {
    const upload = /** @type {Upload} */ (find(id));
    if (upload.file.size <= WHOLE_BYTES_MAX) await whole(id, stop.signal);
    else await inParts(id, stop.signal);
    const done = /** @type {Upload} */ (find(id));
    change(id, { state: 'done', sent: done.file.size });
    for (const told of arrivals) told(done);
  } catch (error) {
    if (stop.signal.aborted) return work();
    const problem = asProblem(error);
    change(id, { state: problem.status === 412 ? 'conflict' : 'failed', problem });
  }
  work();
}

/** @param {Upload} upload */
const unlessThere = (upload) => (upload.replace ? {} : /** @type {Record<string, string>} */ ({ 'if-none-match': '*' }));

/** @param {number} id @param {AbortSignal} signal */
async function whole(id, signal) {
  const upload = /** @type {Upload} */ (find(id));
  const { file, bucket, key } = upload;
  await again(signal, () =>
    sendBytes(`${at(bucket)}/object`, { query: { key }, body: file, type: file.type, headers: unlessThere(upload), signal, progress: (sent) => change(id, { sent: Math.min(sent, file.size) }) }),
  );
}

/** @param {number} id @param {AbortSignal} signal */
async function inParts(id, signal) {
  const { file, bucket, key } = /** @type {Upload} */ (find(id));
  if (!find(id)?.upload) {
    const begun = await again(signal, () => call('POST', `${at(bucket)}/uploads`, { json: { key, bytes: file.size, media_type: file.type }, signal }));
    change(id, { upload: { id: begun.id, partBytes: begun.part_bytes, parts: [] } });
  }
  const { id: name, partBytes } = /** @type {NonNullable<Upload['upload']>} */ (find(id)?.upload);
  const path = `${at(bucket)}/uploads/${name}`;
  for (let number = 1; (number - 1) * partBytes < file.size; number += 1) {
    const kept = find(id)?.upload?.parts ?? [];
    if (kept.some((part) => part.number === number)) continue;
    const before = kept.reduce((sum, part) => sum + part.bytes, 0);
    const body = file.slice((number - 1) * partBytes, number * partBytes);
    const put = await again(signal, () =>
      sendBytes(`${path}/parts/${number}`, { query: { key }, body, signal, progress: (sent) => change(id, { sent: before + Math.min(sent, body.size) }) }),
    );
    change(id, { upload: { id: name, partBytes, parts: [...kept, put] }, sent: before + put.bytes });
  }
  const upload = /** @type {Upload} */ (find(id));
  const json = { bytes: file.size, parts: upload.upload?.parts };
  await again(signal, () => call('POST', `${path}/finish`, { query: { key }, json, headers: unlessThere(upload), signal }));
}

/**
 * Tries again as long as trying may help: the connection, the server, and a session that is over.
 * @template T @param {AbortSignal} signal @param {() => Promise<T>} step @returns {Promise<T>}
 */
async function again(signal, step) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await step();
    } catch (error) {
      const status = error instanceof Problem ? error.status : -1;
      const helps = status === 0 || status === 401 || status === 429 || status === 500 || status === 503;
      if (signal.aborted || !helps) throw error;
    }
    await rest(RESTS[Math.min(turn, RESTS.length - 1)] ?? 30_000, signal);
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function rest(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('given up', 'AbortError'));
    });
  });
}

/** Holds one; its kept parts stay. @param {number} id */
export function pause(id) {
  const upload = find(id);
  change(id, { state: 'paused' });
  upload?.stop?.abort();
}

/** Goes on, or tries again. @param {number} id */
export function resume(id) {
  change(id, { state: 'queued', problem: undefined });
  work();
}

/** Decides about a name that is taken. @param {number} id @param {'replace' | 'both' | 'skip'} how */
export function decide(id, how) {
  const upload = find(id);
  if (!upload) return;
  if (how === 'skip') return cancel(id);
  if (how === 'replace') change(id, { replace: true });
  else change(id, { key: numbered(upload.key), upload: undefined, sent: 0 });
  resume(id);
}

/** The name with a number behind it, and one more each time. @param {string} key */
export function numbered(key) {
  const [, stem = '', number, end = ''] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/s.exec(key) ?? [];
  return `${stem} (${number ? Number(number) + 1 : 2})${end}`;
}

/** Gives one up; what is kept of it goes. @param {number} id */
export function cancel(id) {
  const upload = find(id);
  if (!upload) return;
  change(id, { state: 'cancelled' });
  upload.stop?.abort();
  if (upload.upload) {
    // The job that removes abandoned uploads takes what this leaves.
    call('DELETE', `${at(upload.bucket)}/uploads/${upload.upload.id}`, { query: { key: upload.key } }).catch(() => {});
  }
  uploads.value = uploads.value.filter((one) => one.id !== id);
  work();
}

/** Forgets those that are done. */
export function clear() {
  uploads.value = uploads.value.filter((one) => one.state !== 'done');
}

addEventListener('beforeunload', (event) => {
  if (uploads.value.some((one) => one.state === 'sending' || one.state === 'queued')) event.preventDefault();
});
