// Uses the client that @hey-api/openapi-ts makes of the admin API's document, against a server.
import { client } from './admin/client.gen';
import {
    createAccount,
    createBucket,
    deleteBucket,
    getBucket,
    getSettings,
    health,
    listShards,
    setBucketQuota,
} from './admin/sdk.gen';

let passed = 0;

function check(name: string, holds: boolean, saw: unknown): void {
    if (!holds) {
        throw new Error(`${name}: ${JSON.stringify(saw)}`);
    }
    passed += 1;
}

client.setConfig({ baseUrl: process.env.COFRE_ADMIN_URL, auth: () => process.env.COFRE_ADMIN_TOKEN });

async function main(): Promise<void> {
    const shards = await listShards();
    const place = shards.data?.items[0]?.place;
    check('place', place?.kind === 'filesystem' && place.path.startsWith('/'), shards);
    const account = await createAccount({ body: { display_name: 'typist' } });
    check('account', !!account.data?.secret_access_key, account);
    const bucket = await createBucket({ body: { name: 'of-a-typist', owner: 'typist' } });
    check('bucket', bucket.data?.owner === account.data?.id, bucket);
    const path = { name: 'of-a-typist' };
    const quota = await setBucketQuota({ path, body: { bytes_max: 2 ** 30 } });
    check('quota', quota.data?.quota.bytes_max === 2 ** 30, quota);
    const settings = await getSettings();
    check('settings', settings.data?.document.quotas.grace_multiple === 3, settings);
    const state = await health();
    check('health', typeof state.data?.status === 'string', state);
    const gone = await deleteBucket({ path });
    check('deletion', gone.response?.status === 204, gone);
    const absent = await getBucket({ path });
    check('problem', absent.error?.status === 404, absent);
    console.log(`${passed} checks passed`);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
