import { look } from '../door.js';
import { duration, number, size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Name } from '../parts/name.js';
import { says, t } from '../words/words.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';
import { Wall } from './shards.js';

/**
 * @typedef {{ severity: 'warning' | 'critical', promise: string, subject: string, message: string, code?: string, args?: Record<string, string> }} Verdict
 * @typedef {{ status: 'ok' | 'degraded' | 'failing', verdicts: Verdict[], draining: boolean, uptime_seconds: number, version: string, shards: import('./shards.js').Shard[],
 *   catalog: { commits: number, groups: number, disk_bytes?: number, last_backup?: string, commit_latency: Record<string, number> }, redundancy: { in_force: string, waiting_blobs: number, unreadable_blobs: number, more: boolean } }} Health
 */

const PROMISES = ['durability', 'availability', 'space', 'upkeep'];

/** What an operator looks at first: which promise is in danger, and the room that is left. */
export function OverviewPage() {
  const poll = usePoll(async () => {
    const [health, events] = await Promise.all([look('/health'), look('/events', { query: { latest: 'true', limit: 8 } })]);
    return { health, events: events.items.reverse() };
  });
  return html`<${OpsFrame} title=${t('ops.overview')} poll=${poll}>${(/** @type {any} */ data) => html`<${Overview} ...${data} />`}<//>`;
}

/** @param {{ health: Health, events: import('./events.js').Event[] }} props */
function Overview({ health, events }) {
  const level = health.status === 'ok' ? 'ok' : health.status === 'degraded' ? 'warn' : 'bad';
  const { redundancy, catalog } = health;
  return html`<section aria-labelledby="verdict">
      <p class=${level === 'ok' ? 'verdict' : `verdict ${level}`} id="verdict" role="heading" aria-level="2">${t(health.draining ? 'health.draining' : `health.${health.status}`)}</p>
      <ul class="promises">
        ${PROMISES.map((promise) => html`<${Promised} key=${promise} promise=${promise} verdicts=${health.verdicts.filter((one) => one.promise === promise)} />`)}
      </ul>
    </section>
    ${health.verdicts.length > 0 &&
    html`<section class="section" aria-labelledby="verdicts">
      <div class="head"><h2 id="verdicts">${t('verdicts')}</h2></div>
      <div class="stack">
        ${health.verdicts.map(
          (one, index) => html`<div key=${index} class=${one.severity === 'critical' ? 'notice bad' : 'notice warn'}>
            <${Icon} name=${one.severity === 'critical' ? 'crit' : 'warn'} />
            <div><p><strong>${t(`promise.${one.promise}`)} · ${one.subject}</strong></p><${Message} verdict=${one} /></div>
          </div>`,
        )}
      </div>
    </section>`}
    <section class="section" aria-labelledby="capacity">
      <div class="head"><h2 id="capacity">${t('capacity')}</h2><p>${t('capacity.text', { n: health.shards.length, redundancy: redundancy.in_force })}</p></div>
      <${Wall} shards=${health.shards} />
    </section>
    <section class="section" aria-labelledby="figures">
      <div class="head"><h2 id="figures">${t('now')}</h2></div>
      <dl class="facts">
        <${Fact} name=${t('fact.waiting')} value=${number(redundancy.waiting_blobs) + (redundancy.more ? '+' : '')} />
        <${Fact} name=${t('fact.unreadable')} value=${number(redundancy.unreadable_blobs)} />
        <${Fact} name=${t('fact.catalog')} value=${size(catalog.disk_bytes)} />
        <${Fact} name=${t('fact.backup')} value=${when(catalog.last_backup)} />
        <${Fact} name=${t('fact.commits')} value=${number(catalog.commits)} />
        <${Fact} name=${t('fact.uptime')} value=${duration(health.uptime_seconds)} />
      </dl>
    </section>
    <section class="section" aria-labelledby="latest">
      <div class="head"><h2 id="latest">${t('ops.events')}</h2><p><a href="/ops/events">${t('all')}</a></p></div>
      <table class="table still" aria-label=${t('ops.events')}>
        <tbody>
          ${events.map((event) => html`<tr key=${event.cursor}><td class="mid nowrap fit" title=${event.at}>${when(event.at)}</td><th scope="row"><code>${event.kind}</code></th><td class="wrap"><${Name} text=${event.subject} /></td></tr>`)}
        </tbody>
      </table>
    </section>`;
}

/** What is the matter, in the language that is spoken; what no language here knows stays English. @param {{ verdict: Verdict }} props */
function Message({ verdict }) {
  const key = `verdict.${verdict.code}`;
  return says(key) ? html`<p>${t(key, verdict.args ?? {})}</p>` : html`<p lang="en">${verdict.message}</p>`;
}

/** @param {{ promise: string, verdicts: Verdict[] }} props */
function Promised({ promise, verdicts }) {
  const worst = verdicts.some((one) => one.severity === 'critical') ? 'bad' : verdicts.length > 0 ? 'warn' : 'ok';
  const icon = { bad: 'crit', warn: 'warn', ok: 'ok' }[worst];
  return html`<li class=${worst}>
    <${Icon} name=${icon} />
    <div><h3>${t(`promise.${promise}`)}</h3><p>${verdicts.length === 0 ? t('promise.holds') : t('promise.danger', { n: verdicts.length })}</p></div>
  </li>`;
}

/** @param {{ name: string, value: string }} props */
function Fact({ name, value }) {
  return html`<div><dt>${name}</dt><dd class="num">${value}</dd></div>`;
}
