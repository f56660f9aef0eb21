// Where the console begins: language, session, and the page of the address.
import { h, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { effect } from '@preact/signals';
import { adminToken, call } from './door.js';
import { html } from './parts/html.js';
import { Frame } from './parts/frame.js';
import { arrive, go, mayAct, ownSession, place, safePlace, session, setSession } from './store.js';
import { SignIn } from './sign-in/sign-in.js';
import { FilesPage } from './files/files.js';
import { MePage } from './me/me.js';
import { speak, t } from './words/words.js';

function App() {
  const { path } = place.value;
  if (session.value === undefined) return null;
  if (session.value === null) return html`<${SignIn} />`;
  const face = path.startsWith('/ops') && session.value.operations ? 'ops' : path.startsWith('/me') ? 'me' : 'files';
  return html`<${Frame} face=${face}>
    ${face === 'ops' ? html`<${Operations} />` : face === 'me' ? html`<${MePage} />` : html`<${FilesPage} />`}
  <//>`;
}

/** Operations come when someone goes there. */
function Operations() {
  const [Page, setPage] = useState(/** @type {any} */ (null));
  useEffect(() => {
    import('./ops/ops.js').then(({ OpsPage }) => setPage(() => OpsPage));
  }, []);
  return Page && html`<${Page} />`;
}

/** A click on an address of ours changes the page without loading another. @param {MouseEvent} event */
function follow(event) {
  const from = event.target instanceof Element ? event.target.closest('a') : null;
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!from || !plain || event.defaultPrevented || from.target || from.hasAttribute('download')) return;
  const url = new URL(from.href, location.href);
  if (url.origin !== location.origin || !/^\/(files|ops|me)(\/|$)/.test(url.pathname)) return;
  event.preventDefault();
  go(url.pathname + url.search);
}

async function begin() {
  await speak(document.documentElement.lang);
  addEventListener('popstate', arrive);
  addEventListener('click', follow);
  try {
    // Without its own memory of one, a session whose cookie comes along is another page's.
    setSession(ownSession() === null ? null : ((await call('GET', '/session')) ?? null));
  } catch {
    session.value = null;
  }
  effect(() => {
    const { path, query } = place.value;
    // What lets someone act goes with the session, and when operations are left.
    if (!session.value || !path.startsWith('/ops')) {
      adminToken.value = '';
      mayAct.value = false;
    }
    if (!session.value) return;
    if (path === '/' || path === '/signin') go(safePlace(query.get('to')), { replace: true });
  });
  const root = document.createElement('div');
  root.className = 'root';
  document.body.append(root);
  render(h(App, null), root);
  document.title = t('title');
}

begin();
