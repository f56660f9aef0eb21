import { useEffect, useState } from 'preact/hooks';
import { asProblem, look } from '../door.js';
import { when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Top } from '../parts/frame.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { Failed, Loading } from '../parts/states.js';
import { language, t } from '../words/words.js';

/** @typedef {{ cursor: string, at: string, kind: string, subject: string, actor: string, details: Record<string, string> }} Event */

/** Events that are kept on the page. */
const KEPT_MAX = 500;

/** What happened, and what happens: newest first. */
export function EventsPage() {
  const [events, setEvents] = useState(/** @type {Event[] | undefined} */ (undefined));
  const [problem, setProblem] = useState(/** @type {import('../door.js').Problem | null} */ (null));
  const [kind, setKind] = useState('');
  const [live, setLive] = useState(false);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    document.title = `${t('ops.events')} · Cofre`;
  }, [language.value]);
  useEffect(() => {
    let over = false;
    /** @type {EventSource | undefined} */
    let source;
    /** @type {Record<string, string>} */
    const filter = kind === '' ? {} : { kind };
    const begin = async () => {
      try {
        const page = await look('/events', { query: { latest: 'true', limit: 100, ...filter } });
        if (over) return;
        setEvents(page.items.reverse());
        setProblem(null);
        source = new EventSource(`/v1/events/stream?${new URLSearchParams({ after: page.next, ...filter })}`);
        source.onopen = () => setLive(true);
        source.onerror = () => setLive(false);
        source.onmessage = (message) => setEvents((before) => [JSON.parse(message.data), ...(before ?? [])].slice(0, KEPT_MAX));
      } catch (error) {
        if (!over) setProblem(asProblem(error));
      }
    };
    const timer = setTimeout(begin, kind === '' ? 0 : 300);
    return () => {
      over = true;
      clearTimeout(timer);
      source?.close();
      setLive(false);
    };
  }, [kind, turn]);
  return html`<${Top} title=${t('ops.events')}>${live && html`<span class="live">${t('live')}</span>`}<//>
    <div class="page">
      <div class="row filters"><div class="with search"><${Icon} name="search" /><input class="input" type="search" aria-label=${t('events.filter')} placeholder=${t('events.filter')} value=${kind} onInput=${(/** @type {any} */ event) => setKind(event.currentTarget.value)} /></div></div>
      ${problem ? html`<${Failed} problem=${problem} again=${() => setTurn(turn + 1)} />` : events === undefined ? html`<${Loading} />` : events.length === 0 ? html`<div class="empty"><h2>${t('events.none')}</h2></div>` : html`<${List} events=${events} />`}
    </div>`;
}

/** @param {{ events: Event[] }} props */
function List({ events }) {
  return html`<table class="table still events">
    <caption class="sr">${t('events.caption')}</caption>
    <thead>
      <tr><th scope="col">${t('event.at')}</th><th scope="col">${t('event.kind')}</th><th scope="col">${t('event.subject')}</th><th scope="col" class="c3">${t('event.actor')}</th></tr>
    </thead>
    <tbody>
      ${events.map(
        (event) => html`<tr key=${event.cursor}>
          <td class="fit dim nowrap" title=${event.at}>${when(event.at)}</td>
          <td class="fit mono">${event.kind}</td>
          <td class="wrap"><${Name} text=${event.subject} /><span class="sub">${Object.entries(event.details).map(([name, value]) => `${name} ${value}`).join(' · ')}</span></td>
          <td class="c3 mid wrap">${event.actor}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
