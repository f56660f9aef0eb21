// The one store of state. Pages read signals and call what changes them.
import { signal } from '@preact/signals';

/**
 * @typedef {{ account: { id: string, name: string, root: boolean }, session: string, access_key_id: string, expires: string, secure: boolean, operations: boolean, version: string }} Session
 * @typedef {{ name: string, created: string, versioning: 'off' | 'on' | 'suspended', object_lock: boolean, objects?: number, bytes?: number }} Bucket
 * @typedef {{ id: number, icon: string, text: string, act?: { label: string, run: () => void }, until: number }} Toast
 */

/** Who is signed in: unknown until asked, null if nobody. @type {import('@preact/signals').Signal<Session | null | undefined>} */
export const session = signal(undefined);

/** Where the public id of the session is kept: it says which session this page means, and opens nothing. */
const SESSION_NAME = 'session';

/** Where storage is refused, for as long as the page is open. @type {string | null} */
let kept = null;

/** The public id of the session that this browser began; a page on another port of the host cannot set it. */
export function ownSession() {
  try {
    return localStorage.getItem(SESSION_NAME) ?? kept;
  } catch {
    return kept;
  }
}

/** Begins or ends what the page shows of a session. @param {Session | null} begun */
export function setSession(begun) {
  kept = begun?.session ?? null;
  try {
    if (kept === null) localStorage.removeItem(SESSION_NAME);
    else localStorage.setItem(SESSION_NAME, kept);
  } catch {
    // A browser without storage asks again after a reload.
  }
  if (begun === null) buckets.value = undefined;
  session.value = begun;
}

/** The account's buckets, once asked for. @type {import('@preact/signals').Signal<Bucket[] | undefined>} */
export const buckets = signal(undefined);

/** Where the browser is. */
export const place = signal({ path: location.pathname, query: new URLSearchParams(location.search) });

/** Whether the last call found no server. */
export const offline = signal(false);

/** Whether someone may change things in operations: an admin token is held by the page, and nowhere else. */
export const mayAct = signal(false);

/** The column of places, open over the page where there is no room beside it. */
export const columnOpen = signal(false);

/** Whether the tray of uploads is open. */
export const trayOpen = signal(false);

/** @type {import('@preact/signals').Signal<Toast[]>} */
export const toasts = signal([]);

let lastToast = 0;

/**
 * Says something that needs no answer; with an act it stays longer.
 * @param {string} icon
 * @param {string} text
 * @param {{ label: string, run: () => void }} [act]
 */
export function toast(icon, text, act) {
  lastToast += 1;
  const id = lastToast;
  const made = { id, icon, text, act, until: Date.now() + (act ? 20_000 : 8_000) };
  toasts.value = [...toasts.value.slice(-1), made];
  setTimeout(() => dismiss(id), made.until - Date.now());
}

/** @param {number} id */
export function dismiss(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Goes to a page of the console. @param {string} href @param {{ replace?: boolean }} [how] */
export function go(href, how = {}) {
  history[how.replace ? 'replaceState' : 'pushState'](null, '', href);
  arrive();
  document.getElementById('content')?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Reads where the browser is. */
export function arrive() {
  columnOpen.value = false;
  place.value = { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Address of a folder. @param {string} bucket @param {string} [prefix] */
export function folderHref(bucket, prefix = '') {
  const path = `/files/${encodeURIComponent(bucket)}`;
  return prefix === '' ? path : `${path}?${new URLSearchParams({ in: prefix })}`;
}

/** Address of what was deleted in a folder. @param {string} bucket @param {string} prefix */
export function deletedHref(bucket, prefix) {
  return `/files/${encodeURIComponent(bucket)}?${new URLSearchParams({ in: prefix, deleted: '1' })}`;
}

/** Address of the page to come back to, if it is one of ours. @param {string | null} text */
export function safePlace(text) {
  return text && /^\/(files|ops|me)(?:[/?]|$)/.test(text) ? text : '/files';
}
