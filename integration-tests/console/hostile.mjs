// Names and bytes of strangers: they are text, and nothing of them runs.
import { check, open, run, same } from './drive.mjs';

const NAMES = [
  '..', '../../../etc/passwd', './a/./b', '/leading', 'a//b', 'trailing/', '<script>document.title="ran"</script>.html', '"><img src=x onerror=document.title="ran">',
  'javascript:document.title="ran"', 'a\r\nSet-Cookie: x=y', 'a\u0000b', '\u202egpj.exe', 'a\u200bb', '100%25 sure?#fragment&key=other', 'a;b=c', 'a\\b\\..\\c', "'; DROP TABLE objects; --",
  'CON.txt', '🗝️ São João', '{{constructor.constructor("document.title=1")()}}',
];

const RUNS = `<script>document.title='ran';fetch('/console/v1/session',{method:'DELETE',headers:{'x-cofre':'1'}})</script>`;
const FILES = [
  ['page.html', 'text/html', `<!doctype html>${RUNS}`],
  ['picture.svg', 'image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title='ran'">${RUNS}</svg>`],
  ['paper.pdf', 'application/pdf', '%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj'],
  ['feed.xml', 'application/xml', `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">${RUNS}</html>`],
  ['picture.png', 'image/png', `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title='ran'"/>`],
];

run(async () => {
  const driver = await open();
  const { page } = driver;
  await driver.signIn();
  same((await driver.call('POST', '/buckets', { name: 'strange' })).status, 201, 'making a bucket');
  for (const name of NAMES) await driver.put('strange', name, 'x');
  await driver.go('/files/strange');
  await driver.until(() => document.querySelectorAll('table.files tbody th a').length >= 16);
  await driver.audit('12-strange-names');
  const rows = await driver.rows();
  for (const shown of ['RLOgpj.exe', '<script>document.title="ran"<', 'aU+200Bb', 'a\\0b']) check(rows.some((row) => row.startsWith(shown)), `${shown} in ${JSON.stringify(rows)}`);
  for (const folder of ['../', '/', 'a//', './']) {
    await driver.go(`/files/strange?${new URLSearchParams({ in: folder })}`);
    await page.waitForSelector('table.files tbody th a');
  }
  check(!(await page.title()).includes('ran'), 'nothing ran');

  // Each file as every way of the page shows it, and as an address that someone opens.
  driver.expected.add('415');
  same((await driver.call('POST', '/buckets', { name: 'hostile' })).status, 201, 'making a bucket');
  for (const [name, type, content] of FILES) await driver.put('hostile', name, content, type);
  await driver.go('/files/hostile');
  for (const [name] of FILES) {
    await driver.press(name, 'table.files');
    await page.waitForSelector('dialog.preview pre, dialog.preview .none .btn');
    same(await page.$$eval('dialog.preview :is(script, iframe, object, embed, svg:not(.i))', (all) => all.length), 0, `what ${name} is shown as`);
    await driver.closeDialog();
  }
  check(!(await page.title()).includes('ran'), 'nothing ran');
  for (const [name] of FILES) {
    for (const way of ['object', 'preview', 'text']) {
      const told = await page.evaluate(async (url) => {
        const { status, headers } = await fetch(url);
        return [status, headers.get('content-type'), headers.get('content-security-policy'), headers.get('x-content-type-options'), headers.get('content-disposition')];
      }, `/console/v1/buckets/hostile/${way}?key=${name}`);
      check(['application/octet-stream', 'application/problem+json', 'application/json'].includes(told[1]), `${way} of ${name}: ${told}`);
      check(told[2].includes("default-src 'none'") && told[2].includes('sandbox') && told[3] === 'nosniff', `${way} of ${name}: ${told}`);
      check(way !== 'object' || told[4].startsWith('attachment; '), `${way} of ${name}: ${told}`);
    }
  }
  same((await driver.call('GET', '/session')).status, 200, 'the session after all that');
  await driver.quiet();
  await driver.browser.close();
});
