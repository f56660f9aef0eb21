// Calls of the console's door and of the admin API: same origin, JSON, problems as errors.
import { offline, ownSession, setSession } from './store.js';
import { says, t } from './words/words.js';

const DOOR = '/console/v1';

/** Why a call was not carried out. */
export class Problem extends Error {
  /** @param {number} status @param {{ code?: string, args?: Record<string, string>, detail?: string, request_id?: string }} body */
  constructor(status, body) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? (status === 0 ? 'Offline' : `Status${status}`);
    this.args = body.args ?? {};
    this.requestId = body.request_id ?? '';
  }

  /** What to tell a person, in the language that is spoken; English where the code is not known. */
  get told() {
    const key = `problem.${this.code}`;
    return says(key) ? t(key, { ...this.args, id: this.requestId }) : this.message;
  }
}

/** @param {unknown} error */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  // A file that was chosen and is not there any more, or changed meanwhile.
  const isFile = error instanceof DOMException && /^Not(Readable|Found)Error$/.test(error.name);
  return new Problem(0, { code: isFile ? 'FileGone' : undefined, detail: String(error) });
}

/** @param {Record<string, string | number | undefined>} query */
export function queryText(query) {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * @typedef {{ query?: Record<string, string | number | undefined>, json?: unknown, headers?: Record<string, string>, signal?: AbortSignal }} Asked
 * @param {string} method
 * @param {string} url
 * @param {Asked} asked
 */
async function send(method, url, { query = {}, json, headers = {}, signal }) {
  /** @type {RequestInit} */
  const request = { method, headers: { ...headers }, credentials: 'same-origin', redirect: 'error', signal: signal ?? null };
  const to = /** @type {Record<string, string>} */ (request.headers);
  const own = ownSession();
  if (own !== null || method !== 'GET') to['x-cofre'] = own ?? '1';
  if (json !== undefined) {
    to['content-type'] = 'application/json';
    request.body = JSON.stringify(json);
  }
  let response;
  try {
    response = await fetch(url + queryText(query), request);
  } catch (error) {
    if (signal?.aborted) throw error;
    offline.value = true;
    throw new Problem(0, { detail: String(error) });
  }
  offline.value = false;
  return read(response);
}

/** @param {Response} response */
async function read(response) {
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson ? await response.json() : undefined;
  if (response.ok) return body;
  const problem = new Problem(response.status, body ?? {});
  if (problem.code === 'SignedOut') setSession(null);
  throw problem;
}

/** Asks the console's door. @param {string} method @param {string} path @param {Asked} [asked] @returns {Promise<any>} */
export function call(method, path, asked = {}) {
  return send(method, DOOR + path, asked);
}

/** The admin token of who acts as an operator: in the memory of this page, until it is reloaded or left. */
export const adminToken = { value: '' };

/** Looks at the admin API. @param {string} path @param {Asked} [asked] @returns {Promise<any>} */
export function look(path, asked = {}) {
  return act('GET', path, asked);
}

/** Asks the admin API, by the token that the page holds if it holds one. @param {string} method @param {string} path @param {Asked} [asked] @returns {Promise<any>} */
export function act(method, path, asked = {}) {
  const bearer = /** @type {Record<string, string>} */ (adminToken.value === '' ? {} : { authorization: `Bearer ${adminToken.value}` });
  return send(method, `/v1${path}`, { ...asked, headers: { ...asked.headers, ...bearer } });
}

/** Path of a bucket. @param {string} bucket */
export function at(bucket) {
  return `/buckets/${encodeURIComponent(bucket)}`;
}

/** Address that downloads an object. @param {string} bucket @param {string} key @param {string} [version] */
export function downloadHref(bucket, key, version) {
  return `${DOOR}${at(bucket)}/object${queryText({ key, version })}`;
}

/** Address that shows an object as a picture, a sound or a film. @param {string} bucket @param {string} key @param {string} [version] */
export function previewHref(bucket, key, version) {
  return `${DOOR}${at(bucket)}/preview${queryText({ key, version })}`;
}

/** Address of a folder as an archive, or of some of what is in it. @param {string} bucket @param {string} prefix @param {string[]} [items] */
export function zipHref(bucket, prefix, items) {
  return `${DOOR}${at(bucket)}/zip${queryText({ prefix, items: items && JSON.stringify(items) })}`;
}

/**
 * Reads lines of JSON as they come. Throws if the answer is cut off before a last line.
 * @param {string} path @param {Record<string, string | number | undefined>} query @param {AbortSignal} signal
 * @param {(line: any) => void} each
 */
export async function readLines(path, query, signal, each) {
  const own = ownSession();
  const headers = /** @type {Record<string, string>} */ (own === null ? {} : { 'x-cofre': own });
  const response = await fetch(DOOR + path + queryText(query), { headers, credentials: 'same-origin', redirect: 'error', signal });
  if (!response.ok) {
    await read(response);
    return;
  }
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let ended = false;
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? '';
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const line = JSON.parse(text);
      ended = Boolean(line.end ?? line.next);
      each(line);
    }
    if (done) break;
  }
  if (!ended) throw new Problem(0, { detail: 'the answer was cut off' });
}

/**
 * Sends bytes, and tells how many went.
 * @param {string} path
 * @param {{ query: Record<string, string | number | undefined>, body: Blob, type?: string, headers?: Record<string, string>, progress: (sent: number) => void, signal: AbortSignal }} asked
 * @returns {Promise<any>}
 */
export function sendBytes(path, { query, body, type, headers = {}, progress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', DOOR + path + queryText(query));
    request.setRequestHeader('x-cofre', ownSession() ?? '1');
    request.setRequestHeader('content-type', type || 'application/octet-stream');
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onerror = () => reject(new Problem(0, { detail: 'the connection was lost' }));
    request.onabort = () => reject(new DOMException('given up', 'AbortError'));
    request.onload = () => {
      let answer;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        answer = {};
      }
      if (request.status >= 200 && request.status < 300) resolve(answer);
      else {
        const problem = new Problem(request.status, answer);
        if (problem.code === 'SignedOut') setSession(null);
        reject(problem);
      }
    };
    if (signal.aborted) reject(new DOMException('given up', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(body);
  });
}
