import { useState } from 'preact/hooks';
import { look } from '../door.js';
import { number, size } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { mayAct } from '../store.js';
import { t } from '../words/words.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';
import { ShardActs, ShardDialogs, drainText } from './shard-acts.js';

/**
 * @typedef {{ id: number, place: { kind: string, path?: string, endpoint?: string, bucket?: string }, mode: string, weight_percent: number, failure_domain?: string, labels: Record<string, string>,
 *   health: { state: string, free_bytes?: number, total_bytes?: number, latency_us?: number, errors: number, last_error?: string, read_bytes: number, written_bytes: number } }} Shard
 */

/** The shards, as they are now. */
export function ShardsPage() {
  const poll = usePoll(async () => {
    const shards = /** @type {Shard[]} */ ((await look('/shards', { query: { limit: 1000 } })).items);
    const draining = shards.filter((shard) => shard.mode === 'draining');
    const drains = await Promise.all(draining.map((shard) => look(`/shards/${shard.id}/drain`)));
    return { shards, drains: new Map(draining.map((shard, index) => [shard.id, /** @type {Drain} */ (drains[index])])) };
  });
  const [shown, setShown] = useState(/** @type {null | 'add' | { kind: 'dead' | 'remove' | 'weight', shard: Shard }} */ (null));
  const actions = mayAct.value && html`<button type="button" class="btn primary" onClick=${() => setShown('add')}><${Icon} name="plus" />${t('shard.add')}</button>`;
  return html`<${OpsFrame} title=${t('ops.shards')} poll=${poll} actions=${actions}>${(/** @type {{ shards: Shard[], drains: Map<number, Drain> }} */ { shards, drains }) => html`<${Shards} shards=${shards} drains=${drains} again=${poll.again} show=${setShown} />`}<//>
    <${ShardDialogs} shown=${shown} close=${() => setShown(null)} again=${poll.again} />`;
}

/** @typedef {{ state: 'not_draining' | 'moving' | 'stuck' | 'emptied' | 'drained', remaining_blobs: number, remaining_bytes: number, moved_blobs: number, moved_bytes: number, bytes_per_second?: number | null, seconds_left?: number | null, obstacle?: string | null }} Drain */

/** Where a shard is, in a few words. @param {Shard} shard */
const where = (shard) => shard.place.path ?? `${shard.place.bucket ?? ''} · S3`;

/** How full a shard is, in percent. @param {Shard} shard */
function fill({ health }) {
  const { free_bytes: free, total_bytes: total } = health;
  return free === undefined || free === null || !total ? undefined : Math.round(((total - free) / total) * 100);
}

/** What a shard is, as a level and a word. @param {Shard} shard @returns {[string, string, string]} */
function state(shard) {
  const { mode, health } = shard;
  if (mode === 'dead' || mode === 'lost') return ['bad', 'crit', `shard.${mode}`];
  if (health.state === 'unreachable') return ['bad', 'crit', 'shard.unreachable'];
  if (mode === 'draining' || mode === 'returning') return ['run', 'half', `shard.${mode}`];
  if (health.state === 'suspect' || health.state === 'full') return ['warn', 'warn', `shard.${health.state}`];
  return mode === 'read_only' ? ['warn', 'lock', 'shard.read_only'] : ['ok', 'ok', 'shard.active'];
}

/** The wall of drawers: each is as wide as its room and as full as it is. @param {{ shards: Shard[] }} props */
export function Wall({ shards }) {
  return html`<ul class="wall x">
    ${shards.map((shard) => {
      const percent = fill(shard);
      const [level] = state(shard);
      const room = (shard.health.total_bytes ?? 0) / 2 ** 40;
      return html`<li key=${shard.id} class=${['bad', 'warn'].includes(level) ? `drawer ${level}` : level === 'run' ? 'drawer out' : 'drawer'} style=${{ '--v': percent ?? 0, '--room': Math.max(room, 0.5) }}>
        <span class="row"><span class="plate">${shard.id}</span><span class="where">${where(shard)}</span></span>
        <span class="fill num">${percent === undefined ? '—' : t('percent', { n: percent })}</span>
        <span class="free">${percent === undefined ? t(state(shard)[2]) : t('shard.free', { free: size(shard.health.free_bytes), total: size(shard.health.total_bytes) })}</span>
      </li>`;
    })}
  </ul>`;
}

/** @param {{ shards: Shard[], drains: Map<number, Drain>, again: () => void, show: (shown: any) => void }} props */
function Shards({ shards, drains, again, show }) {
  return html`<div class="head"><div class="text"><p>${t('shards.text')}</p></div></div>
    <div class="only-wide"><${Wall} shards=${shards} /></div>
    <div class="section">
      <table class="table still cards" role="table" aria-label=${t('ops.shards')}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${t('shard')}</th><th role="columnheader" scope="col">${t('state')}</th><th role="columnheader" scope="col">${t('full')}</th>
            <th role="columnheader" scope="col" class="num c2">${t('free')}</th><th role="columnheader" scope="col" class="num c2">${t('latency')}</th><th role="columnheader" scope="col" class="num c3">${t('errors')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">${shards.map((shard) => html`<${Row} key=${shard.id} shard=${shard} drain=${drains.get(shard.id)} again=${again} show=${show} />`)}</tbody>
      </table>
    </div>`;
}

/** @param {{ shard: Shard, drain: Drain | undefined, again: () => void, show: (shown: any) => void }} props */
function Row({ shard, drain, again, show }) {
  const [level, icon, word] = state(shard);
  const percent = fill(shard);
  const { health, labels } = shard;
  const under = Object.entries(labels).map(([name, value]) => `${name}: ${value}`).join(' · ');
  const meter = level === 'bad' || level === 'warn' ? `meter ${level}` : 'meter iron';
  return html`<tr role="row">
    <th role="rowheader" scope="row"><span class="pl"><span class="plate">${shard.id}</span><span>${where(shard)}<span class="sub">${under}</span></span></span></th>
    <td role="cell"><span class=${`state ${level}`}><${Icon} name=${icon} />${t(word)}</span>${health.last_error && html`<span class="sub wrap" lang="en">${health.last_error}</span>`}${drain && html`<span class="sub">${drainText(drain)}</span>`}</td>
    <td role="cell" class="nowrap all">${percent === undefined ? '—' : html`<span class=${meter} style=${{ '--v': percent }} role="img" aria-label=${t('percent', { n: percent })}></span><span class="num">${t('percent', { n: percent })}</span>`}</td>
    <td role="cell" class="num c2" data-l=${t('free')}>${size(health.free_bytes)}</td>
    <td role="cell" class="num c2" data-l=${t('latency')}>${health.latency_us ? `${number(health.latency_us / 1000, { maximumFractionDigits: 1 })} ms` : '—'}</td>
    <td role="cell" class="num c3" data-l=${t('errors')}>${number(health.errors)}</td>
    <td role="cell" class="fit">${mayAct.value && html`<${ShardActs} shard=${shard} again=${again} show=${show} />`}</td>
  </tr>`;
}
