// Uploads: a queue, some files at once, parts that are kept stay. The browser remembers nothing: what is begun stands on the
// server, and a file that is chosen again goes on where its parts end.
import { computed, signal } from '@preact/signals';
import { Problem, asProblem, at, call, sendBytes } from '../door.js';
import { crc64 } from './crc.js';

/**
 * @typedef {'queued' | 'checking' | 'sending' | 'paused' | 'conflict' | 'failed' | 'done' | 'cancelled'} State
 * @typedef {{ number: number, bytes: number, etag: string, crc64nvme?: string }} Part
 * @typedef {{ id: number, file: File, bytes: number, bucket: string, key: string, state: State, sent: number, replace: boolean, problem?: Problem,
 *   upload?: { id: string, partBytes: number, parts: Part[] }, stop?: AbortController }} Upload
 * @typedef {{ id: string, bucket: string, key: string, begun: string }} Unfinished
 */

/** Up to here a file goes in one piece. */
const WHOLE_BYTES_MAX = 8 * 1024 * 1024;

/** Files that are sent at once. */
const AT_ONCE = 4;

/** Rests between tries, in milliseconds; the last one again and again. */
const RESTS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/** Uploads by their number. Each is changed in place; who shows them looks again with each tick. @type {Map<number, Upload>} */
const all = new Map();

/** Numbers of those that wait, in order. @type {number[]} */
let queue = [];

const tick = signal(0);

/** How often who looks is told what changed, in milliseconds. */
const TOLD_EVERY = 200;

/** All uploads, as they are a few times a second. */
export const uploads = computed(() => {
  tick.value;
  return [...all.values()];
});

/** How far all of them are. */
export const summary = computed(() => {
  let [files, waiting, problems, bytes, sent] = [0, 0, 0, 0, 0];
  for (const one of uploads.value) {
    files += 1;
    bytes += one.bytes;
    sent += one.state === 'done' ? one.bytes : one.sent;
    if (one.state !== 'done') waiting += 1;
    if (one.state === 'failed' || one.state === 'conflict') problems += 1;
  }
  return { files, waiting, problems, bytes, sent, percent: bytes === 0 ? 0 : Math.floor((sent / bytes) * 100) };
});

/** Uploads of before that wait for their file. @type {import('@preact/signals').Signal<Unfinished[]>} */
export const unfinished = signal([]);

/** Is told of each file that is kept. @type {Set<(upload: Upload) => void>} */
export const arrivals = new Set();

let lastId = 0;
let sending = 0;
let isDrawn = true;

/** @param {Upload} upload @param {Partial<Upload>} to */
function change(upload, to) {
  Object.assign(upload, to);
  if (!isDrawn) return;
  isDrawn = false;
  setTimeout(() => {
    isDrawn = true;
    tick.value += 1;
  }, TOLD_EVERY);
}

/** Puts files into the queue. @param {string} bucket @param {{ file: File, key: string }[]} files */
export function enqueue(bucket, files) {
  for (const { file, key } of files) {
    lastId += 1;
    const upload = /** @type {Upload} */ ({ id: lastId, file, bytes: file.size, bucket, key, state: 'queued', sent: 0, replace: false });
    all.set(lastId, upload);
    queue.push(lastId);
    change(upload, {});
  }
  work();
}

/** Begins as many as may be sent at once. */
function work() {
  while (sending < AT_ONCE && queue.length > 0) {
    const upload = all.get(queue.shift() ?? 0);
    if (upload?.state === 'queued') send(upload);
  }
}

/** @param {Upload} upload */
async function send(upload) {
  const stop = new AbortController();
  change(upload, { state: 'sending', stop, problem: undefined });
  sending += 1;
  try {
    if (upload.file.size <= WHOLE_BYTES_MAX) await whole(upload, stop.signal);
    else await inParts(upload, stop.signal);
    change(upload, { state: 'done', sent: upload.file.size, upload: undefined });
    for (const told of arrivals) told(upload);
  } catch (error) {
    if (!stop.signal.aborted) {
      const problem = asProblem(error);
      change(upload, { state: problem.status === 412 ? 'conflict' : 'failed', problem });
    }
  }
  sending -= 1;
  work();
}

/** @param {Upload} upload */
const unlessThere = (upload) => (upload.replace ? {} : /** @type {Record<string, string>} */ ({ 'if-none-match': '*' }));

/** @param {Upload} upload @param {AbortSignal} signal */
async function whole(upload, signal) {
  const { file, bucket, key } = upload;
  await again(signal, async () => {
    const headers = { ...unlessThere(upload), 'x-cofre-crc64nvme': await crc64(file) };
    const progress = (/** @type {number} */ sent) => change(upload, { sent: Math.min(sent, file.size) });
    await sendBytes(`${at(bucket)}/object`, { query: { key }, body: file, type: file.type, headers, signal, progress });
  });
}

/** @param {Upload} upload @param {AbortSignal} signal */
async function inParts(upload, signal) {
  const { file, bucket, key } = upload;
  if (!upload.replace) await refuseIfThere(upload, signal);
  if (!upload.upload) {
    change(upload, { state: 'checking' });
    change(upload, { upload: await again(signal, () => findBegun(upload, signal)), state: 'sending' });
  }
  if (!upload.upload) {
    const json = { key, bytes: file.size, media_type: file.type };
    const begun = await again(signal, () => call('POST', `${at(bucket)}/uploads`, { json, signal }));
    change(upload, { upload: { id: begun.id, partBytes: begun.part_bytes, parts: [] } });
  }
  const { id, partBytes, parts } = /** @type {NonNullable<Upload['upload']>} */ (/** @type {unknown} */ (upload.upload));
  unfinished.value = unfinished.value.filter((one) => one.id !== id);
  const path = `${at(bucket)}/uploads/${id}`;
  let kept = parts.reduce((sum, part) => sum + part.bytes, 0);
  change(upload, { sent: kept });
  for (let number = 1; (number - 1) * partBytes < file.size; number += 1) {
    if (parts.some((part) => part.number === number)) continue;
    const body = file.slice((number - 1) * partBytes, number * partBytes);
    const progress = (/** @type {number} */ sent) => change(upload, { sent: kept + Math.min(sent, body.size) });
    const put = await again(signal, async () => {
      const headers = { 'x-cofre-crc64nvme': await crc64(body) };
      return sendBytes(`${path}/parts/${number}`, { query: { key }, body, headers, signal, progress });
    });
    parts.push(put);
    kept += put.bytes;
    change(upload, { sent: kept });
  }
  const named = parts.map(({ number, bytes, etag }) => ({ number, bytes, etag })).sort((one, other) => one.number - other.number);
  const json = { bytes: file.size, parts: named };
  await again(signal, () => call('POST', `${path}/finish`, { query: { key }, json, headers: unlessThere(upload), signal }));
}

/** A long file is not sent only to find its name taken. Who may not look finds out at the end. @param {Upload} upload @param {AbortSignal} signal */
async function refuseIfThere({ bucket, key }, signal) {
  const isThere = await again(signal, async () => {
    try {
      await call('GET', `${at(bucket)}/about`, { query: { key }, signal });
      return true;
    } catch (error) {
      const status = asProblem(error).status;
      if (status === 404 || status === 403) return false;
      throw error;
    }
  });
  if (isThere) throw new Problem(412, { code: 'PreconditionFailed' });
}

/**
 * What was begun of this very file before: every part that is kept must be a part of it, byte for byte.
 * @param {Upload} upload @param {AbortSignal} signal @returns {Promise<Upload['upload']>}
 */
async function findBegun({ bucket, key, file }, signal) {
  const inUse = new Set([...all.values()].map((one) => one.upload?.id));
  const partBytes = Math.max(WHOLE_BYTES_MAX, Math.ceil(file.size / 10_000));
  const mine = (await listUnfinished(bucket, key, signal)).filter((one) => one.key === key && !inUse.has(one.id));
  for (const { id } of mine.reverse()) {
    const parts = await keptParts(bucket, key, id, signal);
    if (parts.length > 0 && (await areOf(file, partBytes, parts))) return { id, partBytes, parts };
  }
  return undefined;
}

/** @param {string} bucket @param {string} key @param {string} id @param {AbortSignal} signal */
async function keptParts(bucket, key, id, signal) {
  /** @type {Part[]} */
  const parts = [];
  for (;;) {
    const page = await call('GET', `${at(bucket)}/uploads/${id}`, { query: { key, after: parts.at(-1)?.number }, signal });
    parts.push(...page.parts);
    if (!page.more || page.parts.length === 0) return parts;
  }
}

/** @param {File} file @param {number} partBytes @param {Part[]} parts */
async function areOf(file, partBytes, parts) {
  for (const part of parts) {
    const body = file.slice((part.number - 1) * partBytes, part.number * partBytes);
    if (body.size !== part.bytes || part.crc64nvme !== (await crc64(body))) return false;
  }
  return true;
}

/** Uploads of the account that are under way below a prefix. @param {string} bucket @param {string} prefix @param {AbortSignal} [signal] */
async function listUnfinished(bucket, prefix, signal) {
  /** @type {Unfinished[]} */
  const found = [];
  /** @type {string | undefined} */
  let after;
  do {
    const page = await call('GET', `${at(bucket)}/uploads`, { query: { prefix, after }, signal });
    found.push(...page.items.map((/** @type {any} */ one) => ({ ...one, bucket })));
    after = page.next;
  } while (after && found.length < 1_000);
  return found;
}

/** Looks which uploads of before wait in a folder. @param {string} bucket @param {string} prefix */
export async function lookUnfinished(bucket, prefix) {
  try {
    const found = await listUnfinished(bucket, prefix);
    const inUse = new Set([...all.values()].map((one) => one.upload?.id));
    unfinished.value = found.filter((one) => !inUse.has(one.id));
  } catch {
    // Who may not list them starts anew.
  }
}

/** Gives an upload of before up: its parts go. @param {Unfinished} one */
export async function discard(one) {
  await call('DELETE', `${at(one.bucket)}/uploads/${one.id}`, { query: { key: one.key } });
  unfinished.value = unfinished.value.filter((other) => other.id !== one.id);
}

/**
 * Tries again as long as trying may help: the connection, the server, a session that is over, bytes that changed on their way.
 * @template T @param {AbortSignal} signal @param {() => Promise<T>} step @returns {Promise<T>}
 */
async function again(signal, step) {
  for (let turn = 0; ; turn += 1) {
    try {
      return await step();
    } catch (error) {
      const problem = error instanceof Problem ? error : undefined;
      const helps = [0, 401, 429, 500, 503].includes(problem?.status ?? -1) || (problem?.code === 'BadDigest' && turn < 3);
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
  const upload = all.get(id);
  if (!upload) return;
  change(upload, { state: 'paused' });
  upload.stop?.abort();
}

/** Goes on, or tries again. @param {number} id */
export function resume(id) {
  const upload = all.get(id);
  if (!upload) return;
  change(upload, { state: 'queued', problem: undefined });
  queue.push(id);
  work();
}

/** Tries all again that failed. */
export function resumeAll() {
  for (const one of [...all.values()]) if (one.state === 'failed') resume(one.id);
}

/** Decides about a name that is taken. @param {number} id @param {'replace' | 'both' | 'skip'} how */
export function decide(id, how) {
  const upload = all.get(id);
  if (!upload) return;
  if (how === 'skip') return cancel(id);
  if (how === 'replace') change(upload, { replace: true });
  else change(upload, { key: numbered(upload.key), upload: undefined, sent: 0 });
  resume(id);
}

/** Decides likewise about all names that are taken. @param {'replace' | 'both' | 'skip'} how */
export function decideAll(how) {
  for (const one of [...all.values()]) if (one.state === 'conflict') decide(one.id, how);
}

/** The name with a number behind it, and one more each time. @param {string} key */
export function numbered(key) {
  const [, stem = '', number, end = ''] = /^(.*?)(?: \((\d+)\))?(\.[^./]*)?$/s.exec(key) ?? [];
  return `${stem} (${number ? Number(number) + 1 : 2})${end}`;
}

/** Gives one up; what is kept of it goes. @param {number} id */
export function cancel(id) {
  const upload = all.get(id);
  if (!upload) return;
  change(upload, { state: 'cancelled' });
  upload.stop?.abort();
  if (upload.upload) {
    // The job that removes abandoned uploads takes what this leaves.
    call('DELETE', `${at(upload.bucket)}/uploads/${upload.upload.id}`, { query: { key: upload.key } }).catch(() => {});
  }
  all.delete(id);
  work();
}

/** Forgets those that are done. */
export function clear() {
  for (const one of [...all.values()]) if (one.state === 'done') all.delete(one.id);
  tick.value += 1;
}

addEventListener('beforeunload', (event) => {
  if (sending > 0 || queue.length > 0) event.preventDefault();
});
