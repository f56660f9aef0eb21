// An upload of many parts that a closed browser and a killed server cut off, in two halves: `begin` and `resume`.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { check, file, open, run, same } from './drive.mjs';

const MIB = 1024 * 1024;
const PARTS = 8;

async function begin() {
  writeFileSync(file('film.bin'), randomBytes(PARTS * 8 * MIB - 12_345));
  const driver = await open({ profile: 'before' });
  const { page } = driver;
  await driver.signIn();
  same((await driver.call('POST', '/buckets', { name: 'films', versioning: true })).status, 201, 'making a bucket');
  await driver.go('/files/films');
  driver.expected.add('404');
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  // Slow enough to be cut off in the middle.
  await session.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 16 * MIB });
  await (await page.$('input[type=file][multiple]')).uploadFile(file('film.bin'));
  await driver.until((n) => document.querySelector('.tray .meter')?.style.getPropertyValue('--v') > n, 30);
  await driver.press('Pause film.bin', '.tray');
  await driver.audit('06-paused');
  await driver.press('Go on with film.bin', '.tray');
  const kept = () => driver.requests.filter((one) => /^PUT .*\/parts\/\d+ 200$/.test(one)).map((one) => Number(/parts\/(\d+) /.exec(one)[1]));
  const before = kept().length;
  while (kept().length <= before) await new Promise((resolve) => setTimeout(resolve, 20));
  check(kept().length < PARTS, `all ${PARTS} parts went before it was cut off`);
  writeFileSync(file('kept.json'), JSON.stringify(kept()));
  driver.browser.process().kill('SIGKILL');
}

async function resume() {
  const before = JSON.parse(readFileSync(file('kept.json')));
  const driver = await open({ profile: 'after' });
  const { page } = driver;
  driver.expected.add('404');
  await driver.signIn();
  await driver.go('/files/films');
  await driver.press('Uploads They wait for their file', '.spine');
  await page.waitForSelector('.tray li');
  await driver.audit('06-waiting');

  // Another file of that name is not taken for it.
  mkdirSync(file('other'), { recursive: true });
  writeFileSync(file('other/film.bin'), randomBytes(PARTS * 8 * MIB - 12_345));
  const another = () => driver.requests.filter((one) => /^POST .*\/uploads 201$/.test(one)).length;
  await (await page.$('.tray input[type=file]')).uploadFile(file('other/film.bin'));
  await driver.until(() => [...document.querySelectorAll('.tray .note')].some((one) => one.textContent.includes(' of ')));
  while (another() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await driver.press('Cancel film.bin', '.tray');
  driver.requests.length = 0;

  await driver.go('/files/films');
  await driver.press('Uploads They wait for their file', '.spine');
  await page.waitForSelector('.tray input[type=file]');
  await (await page.$('.tray input[type=file]')).uploadFile(file('film.bin'));
  await driver.hasRows('film.bin');
  const sent = driver.requests.filter((one) => /^PUT .*\/parts\/\d+ 200$/.test(one)).map((one) => Number(/parts\/(\d+) /.exec(one)[1]));
  same(sent.filter((part) => before.includes(part)), [], 'parts that were kept and sent again');
  same([...before, ...sent].sort((one, other) => one - other), Array.from({ length: PARTS }, (_, index) => index + 1), 'all parts');
  same(await driver.digest('films', 'film.bin'), createHash('sha256').update(readFileSync(file('film.bin'))).digest('hex'), 'what was uploaded');
  await driver.quiet();
  await driver.browser.close();
}

run(process.argv[2] === 'begin' ? begin : resume);
