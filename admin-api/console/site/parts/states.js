import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { Icon } from './icon.js';
import { t } from '../words/words.js';

/** Bones of a list that has not come yet; drawn after 150 ms. */
export function Loading() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 150);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return html`<p class="sr" role="status">${t('loading')}</p>
    <ul class="bones" aria-hidden="true">
      ${[38, 52, 31, 60].map((width) => html`<li key=${width}><span class="bone" style=${{ '--v': width }}></span></li>`)}
    </ul>`;
}

/**
 * Something did not come: what happened, that nothing was lost, and what to do next.
 * @param {{ problem: import('../door.js').Problem, again: () => void }} props
 */
export function Failed({ problem, again }) {
  const forbidden = problem.status === 403;
  return html`<div class="empty" role="alert">
    <${Icon} name=${forbidden ? 'lock' : 'crit'} />
    <h2>${forbidden ? t('state.forbidden') : t('state.failed')}</h2>
    <p>${problem.told}</p>
    ${problem.requestId && html`<p class="small dim">${t('request', { id: problem.requestId })}</p>`}
    <div class="row"><button type="button" class="btn small primary" onClick=${again}><${Icon} name="refresh" />${t('again')}</button></div>
  </div>`;
}
