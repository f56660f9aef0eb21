import { act, look } from '../door.js';
import { duration, number, size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { mayAct } from '../store.js';
import { says, t } from '../words/words.js';
import { doing } from './act.js';
import { OpsFrame } from './page.js';
import { usePoll } from './poll.js';

/**
 * @typedef {{ name: string, state: 'idle' | 'running' | 'paused' | 'stuck', done: number, done_bytes: number, remaining_objects?: number, remaining_bytes?: number, bytes_per_second?: number,
 *   seconds_left?: number, finished?: string, last_error?: string, errors: number, problems: { subject: string, reason: string }[] }} Job
 */

/** The background jobs. */
export function JobsPage() {
  const poll = usePoll(async () => (await look('/jobs')).items);
  return html`<${OpsFrame} title=${t('ops.jobs')} poll=${poll}>${(/** @type {Job[]} */ jobs) => html`<${Jobs} jobs=${jobs} again=${poll.again} />`}<//>`;
}

/** What a job is called, beside its own name. @param {string} name */
const called = (name) => (says(`job.${name}`) ? t(`job.${name}`) : name);

/** @type {Record<string, [string, string]>} */
const STATES = { idle: ['', 'idle'], running: ['run', 'half'], paused: ['warn', 'pause'], stuck: ['bad', 'crit'] };

/** @param {{ jobs: Job[], again: () => void }} props */
function Jobs({ jobs, again }) {
  const busy = jobs.filter((job) => job.state !== 'idle' || job.last_error);
  const idle = jobs.filter((job) => !busy.includes(job));
  return html`<div class="head"><div class="text"><p>${t('jobs.text')}</p></div></div>
    ${busy.length > 0 &&
    html`<section class="section" aria-labelledby="busy">
      <div class="head"><h2 id="busy">${t('jobs.busy')}</h2><p>${busy.length}</p></div>
      <table class="table still cards" role="table" aria-labelledby="busy">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${t('job')}</th><th role="columnheader" scope="col">${t('state')}</th><th role="columnheader" scope="col" class="num">${t('left')}</th>
            <th role="columnheader" scope="col" class="num">${t('rate')}</th><th role="columnheader" scope="col" class="num">${t('ends_in')}</th><th role="columnheader" scope="col"><span class="sr">${t('actions')}</span></th>
          </tr>
        </thead>
        <tbody role="rowgroup">${busy.map((job) => html`<${Row} key=${job.name} job=${job} again=${again} />`)}</tbody>
      </table>
    </section>`}
    <section class="section" aria-labelledby="idle">
      <div class="head"><h2 id="idle">${t('jobs.idle')}</h2><p>${idle.length}</p></div>
      <ul class="idle">
        ${idle.map((job) => html`<li key=${job.name}><span>${called(job.name)} <code class="dim">${job.name}</code></span><span class="dim small">${job.finished ? t('job.finished', { when: when(job.finished) }) : t('job.nothing')}</span><${Acts} job=${job} again=${again} /></li>`)}
      </ul>
    </section>`;
}

/** What can be done with a job. @param {{ job: Job, again: () => void }} props */
function Acts({ job, again }) {
  if (!mayAct.value) return null;
  const path = `/jobs/${encodeURIComponent(job.name)}`;
  const item = (/** @type {string} */ icon, /** @type {string} */ word, /** @type {string} */ verb) =>
    html`<button type="button" role="menuitem" onClick=${() => doing(() => act('POST', `${path}/${verb}`), t('saved'), again)}><${Icon} name=${icon} />${t(word)}</button>`;
  return html`<${Menu} class="btn icon quiet small" id=${`job-${job.name}`} label=${t('actions.of', { name: job.name })} button=${html`<${Icon} name="more" />`}>
    ${job.state === 'paused' ? item('play', 'job.resume', 'resume') : item('pause', 'job.pause', 'pause')}${item('refresh', 'job.run', 'run')}
  <//>`;
}

/** @param {{ job: Job, again: () => void }} props */
function Row({ job, again }) {
  const [level, icon] = STATES[job.state] ?? ['', 'idle'];
  return html`<tr role="row" class="top-align">
    <th role="rowheader" scope="row">${called(job.name)} <code class="dim">${job.name}</code>${job.last_error && html`<span class="sub wrap" lang="en">${job.last_error}</span>`}</th>
    <td role="cell"><span class=${`state ${level}`}><${Icon} name=${icon} />${t(`job.state.${job.state}`)}</span></td>
    <td role="cell" class="num" data-l=${t('left')}>${job.remaining_bytes ? size(job.remaining_bytes) : ''}<span class="sub">${job.remaining_objects === undefined || job.remaining_objects === null ? '—' : number(job.remaining_objects)}</span></td>
    <td role="cell" class="num" data-l=${t('rate')}>${job.bytes_per_second ? `${size(job.bytes_per_second)}/s` : '—'}</td>
    <td role="cell" class="num" data-l=${t('ends_in')}>${job.seconds_left ? duration(job.seconds_left) : '—'}</td>
    <td role="cell" class="fit"><${Acts} job=${job} again=${again} /></td>
  </tr>`;
}
