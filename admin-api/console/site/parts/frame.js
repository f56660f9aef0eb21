import { html } from './html.js';
import { Icon, Mark } from './icon.js';
import { Menu } from './menu.js';
import { call } from '../door.js';
import { buckets, columnOpen, dismiss, folderHref, go, offline, place, session, setSession, toasts, trayOpen } from '../store.js';
import { summary, unfinished } from '../files/uploads.js';
import { Tray } from '../files/tray.js';
import { language, speak, t } from '../words/words.js';

const THEMES = ['system', 'light', 'dark'];

/** Sets the theme, and keeps it for the next visit. @param {string} theme */
export function setTheme(theme) {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  keep('theme', theme);
}

export function nextTheme() {
  const now = document.documentElement.dataset.theme ?? 'system';
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? 'system');
}

export async function nextLanguage() {
  const next = language.value === 'en' ? 'pt-BR' : 'en';
  keep('language', next);
  await speak(next);
}

/** @param {string} name @param {string} value */
function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // A browser without storage forgets it.
  }
}

/** Signs out; what the browser shows goes with it. */
export async function signOut() {
  try {
    await call('DELETE', '/session');
  } finally {
    setSession(null);
    go('/signin', { replace: true });
  }
}

/** @param {string} name */
function initials(name) {
  return [...name].slice(0, 2).join('').toUpperCase();
}

/**
 * The spine, the column and the page.
 * @param {{ face: string, children?: any }} props
 */
export function Frame({ face, children }) {
  const account = session.value?.account;
  if (!account) return null;
  const at = (/** @type {string} */ one) => (face === one ? 'page' : undefined);
  const { waiting, percent } = summary.value;
  return html`<a class="skip" href="#content">${t('skip')}</a>
    <div class=${face === 'me' ? 'app bare' : 'app'}>
      <nav class="spine" aria-label=${t('spine')}>
        <div>
          <a class="brand" href="/files" aria-label="Cofre"><${Mark} /></a>
          <ul class="x">
            <li><a class="at" href="/files" aria-current=${at('files')}><${Icon} name="folder" /><span>${t('face.files')}</span></a></li>
            ${session.value?.operations && html`<li><a class="at" href="/ops" aria-current=${at('ops')}><${Icon} name="gauge" /><span>${t('face.ops')}</span></a></li>`}
          </ul>
          <div class="grow"></div>
          <ul class="x">
            <li>
              <button class="at" type="button" aria-expanded=${trayOpen.value} onClick=${() => (trayOpen.value = !trayOpen.value)}>
                <${Icon} name="upload" /><span>${waiting > 0 ? t('uploads.percent', { percent }) : t('uploads')}</span>${waiting === 0 && unfinished.value.length > 0 && html`<span class="sr"> ${t('uploads.waiting')}</span>`}
              </button>
            </li>
            <li>
              <${Menu} named class="at" id="account" label=${t('account.menu', { name: account.name })} button=${html`<span class="me" aria-hidden="true">${initials(account.name)}</span><span>${account.name}</span>`}>
                <button type="button" role="menuitem" onClick=${() => go('/me')}><${Icon} name="key" />${t('me.sessions')}</button>
                <hr />
                <button type="button" role="menuitem" onClick=${nextTheme}><${Icon} name="half" />${t('theme.next')}</button>
                <button type="button" role="menuitem" onClick=${nextLanguage}><${Icon} name="globe" />${t('language.other')}</button>
                <hr />
                <button type="button" role="menuitem" onClick=${signOut}><${Icon} name="out" />${t('sign_out')}</button>
              <//>
            </li>
          </ul>
        </div>
      </nav>
      ${face === 'files' && html`<${Places} />`} ${face === 'ops' && html`<${OpsPlaces} />`}
      ${columnOpen.value && html`<div class="scrim" onClick=${() => (columnOpen.value = false)}></div>`}
      <main class="main" id="content" tabindex="-1">
        ${offline.value && html`<div class="offline" role="status"><${Icon} name="offline" /><span class="grow"><strong>${t('offline.title')}</strong> ${t('offline.text')}</span></div>`}
        ${children}
      </main>
    </div>
    <${Tray} />
    <div class="toasts" role="status">
      ${toasts.value.map(
        (one) => html`<div class="toast" key=${one.id}>
          <${Icon} name=${one.icon} /><span>${one.text}</span>
          ${one.act && html`<button type="button" class="btn small" onClick=${() => { dismiss(one.id); one.act?.run(); }}>${one.act.label}</button>`}
        </div>`,
      )}
    </div>`;
}

function Places() {
  const shown = place.value.path.split('/')[2];
  const list = buckets.value ?? [];
  return html`<nav class="nav" data-open=${columnOpen.value || undefined} aria-label=${t('places')}>
    <div>
      <p class="face">${t('face.files')}</p>
      <h2>${t('buckets')}</h2>
      <ul class="links">
        ${list.map(
          (bucket) => html`<li key=${bucket.name}>
            <a href=${folderHref(bucket.name)} aria-current=${shown === bucket.name ? 'page' : undefined}><${Icon} name="bucket" /><span>${bucket.name}</span></a>
          </li>`,
        )}
      </ul>
      <div class="grow"></div>
    </div>
  </nav>`;
}

/** @type {[string, string, string][]} */
const OPS = [
  ['/ops', 'gauge', 'ops.overview'],
  ['/ops/shards', 'disk', 'ops.shards'],
  ['/ops/jobs', 'jobs', 'ops.jobs'],
  ['/ops/events', 'pulse', 'ops.events'],
  ['/ops/accounts', 'user', 'ops.accounts'],
  ['/ops/tokens', 'key', 'ops.tokens'],
  ['/ops/settings', 'sliders', 'ops.settings'],
];

function OpsPlaces() {
  return html`<nav class="nav" data-open=${columnOpen.value || undefined} aria-label=${t('ops.places')}>
    <div>
      <p class="face">${t('face.ops')}</p>
      <ul class="links">
        ${OPS.map(
          ([href, icon, key]) => html`<li key=${href}>
            <a href=${href} aria-current=${place.value.path === href || (href !== '/ops' && place.value.path.startsWith(`${href}/`)) ? 'page' : undefined}><${Icon} name=${icon} /><span>${t(key)}</span></a>
          </li>`,
        )}
        <li><a href="/docs/" target="_blank" rel="noopener"><${Icon} name="code" /><span>${t('ops.docs')}</span></a></li>
      </ul>
      <div class="grow"></div>
      <div class="space"><span class="dim">Cofre ${session.value?.version}</span></div>
    </div>
  </nav>`;
}

/** The bar above a page. @param {{ title: any, trail?: { href: string, name: any }[], children?: any }} props */
export function Top({ title, trail = [], children }) {
  const up = trail.at(-1);
  return html`<header class="top">
    ${up && html`<a class="btn icon quiet only-small" href=${up.href} aria-label=${t('up')}><${Icon} name="left" /></a>`}
    <button type="button" class=${up ? 'btn icon quiet menu-button only-wide' : 'btn icon quiet menu-button'} aria-label=${t('places')} title=${t('places')} aria-expanded=${columnOpen.value} onClick=${() => (columnOpen.value = !columnOpen.value)}><${Icon} name="menu" /></button>
    <nav class="crumbs" aria-label=${t('where')}>
      <ol>
        ${trail.map((one) => html`<li class="only-wide" key=${one.href}><a href=${one.href}>${one.name}</a></li>`)}
        <li><h1 aria-current="page">${title}</h1></li>
      </ol>
    </nav>
    <div class="grow"></div>
    ${children}
  </header>`;
}
