// Signing in and out, and what a page on the S3 port of the same host can do with a session: nothing.
import { BASE, KEY, SECRET, check, open, run, same } from './drive.mjs';
import { presigned } from './presign.mjs';

run(async () => {
  const driver = await open();
  const { page } = driver;
  await driver.go('/', '#key');
  await driver.audit('01-sign-in');
  driver.expected.add('401');
  await page.type('#key', KEY);
  await page.type('#secret', 'wrong');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#wrong');
  check((await driver.text('#wrong')).includes('4 attempts left'), await driver.text('#wrong'));
  await driver.audit('01-sign-in-wrong');
  await driver.signIn();
  check((await driver.text('main h1')) === 'Buckets', 'the page behind the door');
  await driver.audit('03-no-bucket');

  const session = await page.createCDPSession();
  const { cookies } = await session.send('Network.getAllCookies');
  same(cookies.map(({ name, httpOnly, sameSite, path }) => [name, httpOnly, sameSite, path]), [['cofre', true, 'Strict', '/']], 'cookies');
  await driver.keepsNoSecret(SECRET, KEY, cookies[0].value, cookies[0].value.split('_')[1]);
  const policy = await page.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
  check(!/unsafe|http|\*/.test(policy) && policy.includes("require-trusted-types-for 'script'"), policy);

  // A page that stands as an object on the S3 port: of the same site, so that the strict cookie comes along.
  same((await driver.call('POST', '/buckets', { name: 'evil' })).status, 201, 'making a bucket');
  await driver.put('evil', 'page.html', hostile(), 'text/html');
  const evil = await driver.browser.newPage();
  await evil.goto(presigned('GET', '/evil/page.html', { 'response-content-type': 'text/html' }), { waitUntil: 'load' });
  await evil.waitForSelector('html[data-done]');
  const tried = JSON.parse(await evil.evaluate(() => document.documentElement.dataset.done));
  for (const [what, came] of Object.entries(tried)) check(/^(TypeError|opaque|SecurityError|null)/.test(String(came)), `${what}: ${came}`);
  await evil.close();
  // The page planted a cookie that a browser sends first: nobody is signed in while it is there, and nobody else either.
  same((await driver.call('GET', '/session')).status, 204, 'a session beside a planted cookie');
  await session.send('Network.deleteCookies', { name: 'cofre', domain: new URL(BASE).hostname, path: '/console' });
  const { json } = await driver.call('GET', '/buckets');
  same(json.items.map((one) => one.name), ['evil'], 'buckets after the page had its turn');

  // A session of the attacker in place of ours: the page means its own, and is signed out.
  const own = await page.evaluate(() => localStorage.getItem('session'));
  await page.evaluate(() => localStorage.setItem('session', 'abcdefghijklmnop'));
  same((await driver.call('POST', '/buckets', { name: 'theirs' })).status, 401, 'a call for another session');
  await page.evaluate((own) => localStorage.setItem('session', own), own);

  // Both languages, and no key of a text in place of the text.
  await page.evaluate(() => localStorage.setItem('language', 'pt-BR'));
  await driver.go('/me');
  check((await driver.text('main h1')) === 'Sessões' && (await page.evaluate(() => document.documentElement.lang)) === 'pt-BR', 'Portuguese');
  await driver.audit('15-sessions-pt');
  await page.evaluate(() => localStorage.setItem('language', 'en'));
  await driver.go('/me');
  await driver.audit('15-sessions');

  const stolen = cookies[0].value;
  await page.click('.spine [aria-haspopup=menu]');
  await driver.press('Sign out', '[popover]:popover-open');
  await page.waitForSelector('#key');
  same(await page.evaluate(() => localStorage.getItem('session')), null, 'what is left of the session');
  await session.send('Network.setCookie', { name: 'cofre', value: stolen, url: BASE, path: '/', httpOnly: true });
  same((await driver.call('GET', '/buckets')).status, 401, 'a stolen id after signing out');
  await driver.quiet();
  await driver.browser.close();
});

function hostile() {
  return `<!doctype html><title>evil</title><script>addEventListener('load', async () => {
    const out = {};
    const to = ${JSON.stringify(BASE)};
    const as = async (name, ask) => { try { const came = await ask(); out[name] = came.type + ' ' + came.status; } catch (error) { out[name] = error.name; } };
    const json = { 'content-type': 'application/json', 'x-cofre': '1' };
    await as('read', () => fetch(to + '/console/v1/session', { credentials: 'include' }));
    await as('list', () => fetch(to + '/console/v1/buckets', { credentials: 'include', mode: 'no-cors' }));
    await as('plain', () => fetch(to + '/console/v1/buckets', { method: 'POST', mode: 'no-cors', credentials: 'include', headers: { 'content-type': 'text/plain' }, body: '{"name":"stolen-plain"}' }));
    await as('json', () => fetch(to + '/console/v1/buckets', { method: 'POST', credentials: 'include', headers: json, body: '{"name":"stolen-json"}' }));
    await as('delete', () => fetch(to + '/console/v1/session', { method: 'DELETE', credentials: 'include', headers: json }));
    await as('admin', () => fetch(to + '/v1/health', { credentials: 'include' }));
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: to + '/console/v1/buckets', enctype: 'text/plain', target: 'w' });
    const input = document.createElement('input');
    Object.assign(input, { name: '{"name":"stolen-form","x":"', value: '"}' });
    form.append(input);
    const frame = document.createElement('iframe');
    frame.name = 'w';
    document.body.append(form, frame);
    form.submit();
    const whole = document.createElement('iframe');
    whole.src = to + '/files';
    document.body.append(whole);
    await new Promise((resolve) => { whole.onload = resolve; setTimeout(resolve, 2000); });
    try { out.frame = String(whole.contentDocument); } catch (error) { out.frame = error.name; }
    document.cookie = 'cofre=planted; path=/console';
    document.documentElement.dataset.done = JSON.stringify(out);
  });</script>`;
}
