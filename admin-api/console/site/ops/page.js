import { useEffect } from 'preact/hooks';
import { Top } from '../parts/frame.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Failed, Loading } from '../parts/states.js';
import { language, t } from '../words/words.js';
import { ActButton } from './act.js';

/**
 * A page of operations: what came, or why it did not. Old data is dated.
 * @param {{ title: string, poll: ReturnType<typeof import('./poll.js').usePoll>, trail?: { href: string, name: any }[], actions?: any, children: (data: any) => any }} props
 */
export function OpsFrame({ title, poll, trail, actions, children }) {
  useEffect(() => {
    document.title = `${title} · Cofre`;
  }, [title, language.value]);
  const { data, problem, at, again } = poll;
  const clock = at?.toLocaleTimeString(language.value);
  return html`<${Top} title=${title} trail=${trail}>
      ${data !== undefined && !problem && html`<span class="live only-wide">${t('live')}</span>`}
      ${actions}<${ActButton} />
    <//>
    <div class="page">
      ${data !== undefined && problem && html`<div class="notice warn" role="status"><${Icon} name="warn" /><div><p>${problem.told}</p><p>${t('stale', { clock })}</p></div></div>`}
      ${data === undefined ? (problem ? html`<${Failed} problem=${problem} again=${again} />` : html`<${Loading} />`) : children(data)}
    </div>`;
}
