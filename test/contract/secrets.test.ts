/** The store of secrets over the real table adapter and the Tables core: what is promised in src/ports/secrets.ts. */
import { describe, expect, it } from 'vitest';
import { memoryTableStore } from '../../src/local/tables/memory-store.ts';
import { err, ok } from '../../src/model/result.ts';
import { keyringFor } from '../support/keys.ts';
import { at } from '../support/rows.ts';
import { secretsFixture } from '../support/secrets-fixture.ts';
import { tableFixture } from '../support/table-fixture.ts';

const canary = 'canary-5d41402abc4b2a76';
const bytes = (text: string) => Buffer.from(text);

function bench(letters: readonly string[] = ['a'], table = memoryTableStore()) {
  const clock = { now: at };
  const { store } = tableFixture(table);
  let ids = 0;
  const parts = { store, now: () => clock.now, ids: { next: () => `id-${ids++}` } };
  return { clock, store, table, secrets: secretsFixture(parts, ok(keyringFor(...letters))), parts };
}

async function readText(reading: ReturnType<ReturnType<typeof bench>['secrets']['read']>): Promise<string> {
  const read = await reading;
  return read.ok ? Buffer.from(read.value).toString() : `${read.error.kind} ${read.error.code ?? ''}`.trim();
}

async function set(secrets: ReturnType<typeof bench>['secrets'], name: string, text: string, managed = true) {
  const answer = await secrets.set('shop', { name, value: bytes(text), managed });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value;
}

describe('the store of secrets', () => {
  it('gives back what was stored, byte for byte', async () => {
    const { secrets } = bench();
    const value = Buffer.from([0, 255, 10, 13, 128]);
    const facts = await secrets.set('shop', { name: 'key', value, managed: true });
    expect(facts).toMatchObject({ ok: true, value: { name: 'key', sizeBytes: 5, isText: false, managed: true } });
    const read = await secrets.read('shop', { secretRef: 'key', version: facts.ok ? facts.value.version : '' });
    expect(read.ok && Buffer.from(read.value).equals(value)).toBe(true);
  });

  it('keeps no value in the table that can be read without the key', async () => {
    const { secrets, table } = bench();
    await set(secrets, 'db', canary);
    await set(secrets, 'db', canary.repeat(2_000));
    const stored = JSON.stringify([...table.scan('flotilla', { partitionKey: '', rowKey: '' })], (_, item) =>
      typeof item === 'bigint' ? String(item) : item,
    );
    expect(stored).toContain('shop');
    for (const form of [canary, bytes(canary).toString('base64').slice(0, 20), bytes(canary).toString('hex')]) {
      expect(stored).not.toContain(form);
    }
  });

  it('stores values of the size that is allowed', async () => {
    const { secrets } = bench();
    const large = Buffer.alloc(512 * 1024, canary).toString();
    const { version } = await set(secrets, 'large', large);
    expect(await readText(secrets.read('shop', { secretRef: 'large', version }))).toBe(large);
  });

  it('gives an unchanged value its version again, a changed one another, and the old value its old one', async () => {
    const { secrets, clock } = bench();
    const first = await set(secrets, 'db', 'one');
    clock.now += 1_000;
    const again = await set(secrets, 'db', 'one');
    const second = await set(secrets, 'db', 'two');
    const back = await set(secrets, 'db', 'one');
    expect(again.version).toBe(first.version);
    expect(second.version).not.toBe(first.version);
    expect(back.version).toBe(first.version);
    const listed = await secrets.list('shop');
    // The newest is the one that was set last, also where the clock stood still.
    expect(listed.ok && listed.value.map(({ version }) => version)).toEqual([second.version, first.version]);
  });

  it('gives equal values of other names and apps other versions: nobody sees that they are equal', async () => {
    const { secrets } = bench();
    const one = await set(secrets, 'one', canary);
    const two = await set(secrets, 'two', canary);
    const other = await secrets.set('other', { name: 'one', value: bytes(canary), managed: true });
    expect(new Set([one.version, two.version, other.ok && other.value.version]).size).toBe(3);
  });

  it('tells the version of a value without storing it', async () => {
    const { secrets } = bench();
    const dry = await secrets.set('shop', { name: 'db', value: bytes('one'), managed: true, dryRun: true });
    expect(await secrets.list('shop')).toEqual({ ok: true, value: [] });
    expect(dry.ok && dry.value.version).toBe((await set(secrets, 'db', 'one')).version);
  });

  it('keeps a value that was set by hand by hand, also when a file says the same', async () => {
    const { secrets } = bench();
    await set(secrets, 'db', 'one', false);
    expect((await set(secrets, 'db', 'one', true)).managed).toBe(false);
    expect((await set(secrets, 'db', 'two', true)).managed).toBe(true);
  });

  it('keeps the version of an unchanged value when the key is replaced, and opens old values with the old key', async () => {
    const before = bench(['a']);
    const old = await set(before.secrets, 'db', 'one');
    const after = bench(['b', 'a'], before.table);
    expect(await readText(after.secrets.read('shop', { secretRef: 'db', version: old.version }))).toBe('one');
    expect((await set(after.secrets, 'db', 'one')).version).toBe(old.version);
    const later = bench(['b'], before.table);
    expect(await readText(later.secrets.read('shop', { secretRef: 'db', version: old.version }))).toBe('one');
  });

  it('says that a value cannot be opened with a wrong key, that one is not there, and that there is no key', async () => {
    const { secrets, table, parts } = bench(['a']);
    const { version } = await set(secrets, 'db', 'one');
    const ref = { secretRef: 'db', version };
    expect(await readText(bench(['b'], table).secrets.read('shop', ref))).toBe('Invalid SecretUnreadable');
    expect(await readText(secrets.read('shop', { ...ref, version: '0'.repeat(16) }))).toBe('NotFound');
    const keyless = secretsFixture(parts, err('this installation has no key'));
    expect(await readText(keyless.read('shop', ref))).toBe('Invalid SecretUnreadable');
    expect(await keyless.list('shop')).toMatchObject({ ok: true, value: [{ name: 'db' }] });
  });

  it('removes one version, and nothing twice', async () => {
    const { secrets } = bench();
    const one = await set(secrets, 'db', 'one');
    const two = await set(secrets, 'db', 'two');
    const ref = { secretRef: 'db', version: one.version };
    expect(await secrets.remove('shop', ref)).toEqual({ ok: true, value: undefined });
    expect(await secrets.remove('shop', ref)).toEqual({ ok: true, value: undefined });
    const listed = await secrets.list('shop');
    expect(listed.ok && listed.value.map(({ version }) => version)).toEqual([two.version]);
  });

  it('is found by a scan over all apps, without values', async () => {
    const { secrets, store } = bench();
    await set(secrets, 'db', 'one');
    const page = await store.scanSecrets(null);
    expect(page).toMatchObject({
      ok: true,
      value: { secrets: [{ app: 'shop', name: 'db', sealed: null }], next: null },
    });
  });
});
