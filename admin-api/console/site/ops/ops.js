import { html } from '../parts/html.js';
import { place } from '../store.js';
import { EventsPage } from './events.js';
import { JobsPage } from './jobs.js';
import { OverviewPage } from './overview.js';
import { ShardsPage } from './shards.js';

/** The operations face, for the root account: it looks and changes nothing. */
export function OpsPage() {
  const [, , page] = place.value.path.split('/');
  if (page === 'shards') return html`<${ShardsPage} />`;
  if (page === 'jobs') return html`<${JobsPage} />`;
  if (page === 'events') return html`<${EventsPage} />`;
  return html`<${OverviewPage} />`;
}
