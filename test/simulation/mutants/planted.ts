/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the patches quote template strings of the code. */
/**
 * Planted bugs: small patches of our own code, each of which passes the unit tests and must be caught by the named oracle on fresh seeds. A bug that no
 * oracle catches shows what is not being tested.
 */
import type { PlantedBug } from '../types.ts';

export const planted: readonly PlantedBug[] = [
  {
    name: 'owner-must-be-ready',
    file: 'src/decide/reap.ts',
    find: "row.group === group.name && row.state !== 'gone'",
    replace: "row.group === group.name && (row.state === 'ready' || row.state === 'deleting')",
    killedBy: 'ownership',
  },
  {
    name: 'budget-never-recounted',
    file: 'src/activities/reaper.ts',
    find: 'orphans: reaping.sightings, reservations, listedAt',
    replace: 'orphans: reaping.sightings, listedAt',
    killedBy: 'reality',
  },
  {
    name: 'reaper-sees-no-rows',
    file: 'src/activities/reaper.ts',
    find: '{ app, guards, replicas }]),',
    replace: '{ app, guards, replicas: [] }]),',
    killedBy: 'ownership',
  },
  {
    name: 'orphan-deleted-without-audit',
    file: 'src/activities/reaper.ts',
    find: "if (!(await audit(ports, orphan, { type: 'OrphanDeleted', reason: 'Orphaned', message }))) return 'next';",
    replace: 'void message;',
    killedBy: 'audit',
  },
  {
    name: 'client-retries-by-itself',
    file: 'src/azure/container-groups.ts',
    find: 'retryOptions: { maxRetries: 0 }',
    replace: 'retryOptions: { maxRetries: 2 }',
    killedBy: 'write-ahead',
  },
  {
    name: 'failed-poll-taken-for-failed-put',
    file: 'src/azure/container-groups.ts',
    find: `        if (first < 300) abort();
      };
      return run({ abortSignal, onResponse });
    });
    return ok(first ?? 200);
  } catch (error) {
    if (first !== undefined && first < 300) return ok(first);`,
    replace: `      };
      return run({ abortSignal, onResponse });
    });
    return ok(first ?? 200);
  } catch (error) {`,
    killedBy: 'write-ahead',
  },
  {
    name: 'unreadable-taken-for-absent',
    file: 'src/activities/observe.ts',
    find: "return answer.error.kind === 'NotFound'\n      ? { kind: 'missing' }",
    replace: "return answer.error.kind !== 'Invalid'\n      ? { kind: 'missing' }",
    killedBy: 'absence',
  },
  {
    name: 'old-epochs-not-fenced',
    file: 'src/activities/fence.ts',
    find: "row.state !== 'gone' && row.epoch < guard.epoch",
    replace: "row.state === 'planned' && row.epoch < guard.epoch",
    killedBy: 'convergence',
  },
  {
    name: 'pass-acts-for-any-workflow',
    file: 'src/activities/pass.ts',
    find: 'if (guard === undefined || guard.workflow !== workflow) return ok(null);',
    replace: 'if (guard === undefined) return ok(null);',
    killedBy: 'fencing',
  },
  {
    name: 'lost-answer-taken-for-a-commit',
    file: 'src/azure/table-store.ts',
    find: "if (answer.ok || isTransient(answer.error) || answer.error.kind === 'Invalid') return answer;",
    replace:
      "if (answer.ok || answer.error.kind === 'Invalid') return answer;\n      if (isTransient(answer.error)) return ok({ etags: new Map() });",
    killedBy: 'write-ahead',
  },
  {
    name: 'probes-believed-unasked',
    file: 'src/activities/observe.ts',
    find: "return passed ? 'passed' : 'failed';",
    replace: "return passed || ip !== '' ? 'passed' : 'failed';",
    killedBy: 'traffic',
  },
  {
    name: 'pools-compared-once-an-hour',
    file: 'src/activities/resync.ts',
    find: 'const places = rotated(byResourceGroup(pools.value), turn);',
    replace: 'const places = turn % 120 === 0 ? byResourceGroup(pools.value) : [];',
    killedBy: 'reality',
  },
  {
    name: 'claims-shorter-than-a-put',
    file: 'src/wiring.ts',
    find: 'return { ...defaults, version, installation, installationEpoch, claimLeaseMs, orphanGraceMs, pools };',
    replace:
      'return { ...defaults, version, installation, installationEpoch, claimLeaseMs: claimLeaseMs / 60, orphanGraceMs, pools };',
    killedBy: 'write-ahead',
  },
  {
    name: 'orphans-deleted-at-second-sight',
    file: 'src/wiring.ts',
    find: 'return { ...defaults, version, installation, installationEpoch, claimLeaseMs, orphanGraceMs, pools };',
    replace:
      'return { ...defaults, version, installation, installationEpoch, claimLeaseMs, orphanGraceMs: orphanGraceMs / 60, pools };',
    killedBy: 'patience',
  },
  {
    name: 'resync-once-an-hour',
    file: 'functions/timers.ts',
    find: "schedule: '*/30 * * * * *',",
    replace: "schedule: '0 0 * * * *',",
    killedBy: 'reality',
  },
  {
    name: 'unready-replicas-not-looked-at',
    file: 'src/activities/observe.ts',
    find: "'creating', 'starting', 'unready', 'deleting'",
    replace: "'creating', 'starting', 'deleting'",
    killedBy: 'convergence',
  },
  {
    name: 'reservation-race-taken-for-success',
    file: 'src/activities/reserve.ts',
    find: "if (written.error.kind !== 'Conflict' && written.error.kind !== 'Unknown') return written;",
    replace: 'return ok(plan);',
    killedBy: 'budgets',
  },
  {
    name: 'reservations-of-others-overwritten',
    file: 'src/activities/reserve.ts',
    find: 'reservations: [...pool.reservations, ...added]',
    replace: 'reservations: [...pool.reservations.slice(-1), ...added]',
    killedBy: 'budgets',
  },
  {
    name: 'budget-returned-with-the-delete',
    file: 'src/activities/reserve.ts',
    find: "replicas.filter((row) => row.state === 'gone')",
    replace: "replicas.filter((row) => row.state === 'gone' || row.state === 'creating')",
    killedBy: 'budgets',
  },
  {
    name: 'event-wakes-before-it-is-checked',
    file: 'src/activities/group-event.ts',
    find: 'const observation = await observeTwice(ports, replica.value, template, pool);',
    replace:
      "const since = ports.now();\n  await ports.store.commit({ txId: 'due', changes: [{ type: 'upsert', row: { kind: 'due', app, dueAt: since, since } }] });\n  const observation = await observeTwice(ports, replica.value, template, pool);",
    killedBy: 'hints',
  },
  {
    name: 'losses-not-watched',
    file: 'src/activities/sweep.ts',
    find: "replica.pool === pool.pool && replica.state === 'ready'",
    replace: "replica.pool === pool.pool && replica.state === 'unready'",
    killedBy: 'traffic',
  },
  {
    name: 'reply-that-may-have-been-sent-struck-off',
    file: 'src/commands/replies.ts',
    find: 'if (sent.ok) return await strike(ports, row);',
    replace: "if (sent.ok || sent.error.kind === 'Unknown') return await strike(ports, row);",
    killedBy: 'replies',
  },
  {
    name: 'replies-never-sent-again',
    file: 'src/activities/resync.ts',
    find: 'const replies = await payDue(ports, within(settings.tickBudgetMs / 2));',
    replace: 'const replies = await payDue(ports, () => false);',
    killedBy: 'replies',
  },
  {
    name: 'placement-rules-of-the-last-service',
    file: 'src/decide/growth.ts',
    find: 'services.find(({ name }) => name === guard.service)?.placement',
    replace: 'services.at(-1)?.placement',
    killedBy: 'placement',
  },
  {
    name: 'planner-knows-no-freeze',
    file: 'src/activities/pass.ts',
    find: 'frozen: rows.app?.frozen ?? false,',
    replace: 'frozen: false,',
    killedBy: 'frozen',
  },
  {
    name: 'replicas-forget-their-cycle',
    file: 'src/azure/row-codec.ts',
    find: "cycle: 'whole',\n    state: 'text',",
    replace: "state: 'text',",
    killedBy: 'restarts',
  },
  {
    name: 'pools-of-the-app-ignored',
    file: 'src/decide/growth.ts',
    find: 'pools: app?.pools ?? [],',
    replace: 'pools: app?.pools.length === 1 ? [] : (app?.pools ?? []),',
    killedBy: 'pools',
  },
  {
    name: 'walk-asks-the-clock',
    file: 'src/orchestrations/walk.ts',
    find: 'if (!isDone && !seen?.atOnce) yield* pause(',
    replace: 'if (!isDone && (!seen?.atOnce || Date.now() % 512 < 8)) yield* pause(',
    killedBy: 'replay',
  },
  {
    name: 'request-in-the-error-text',
    file: 'src/azure/errors.ts',
    find: 'message: `${what}: ${messageOf(error)}`',
    replace:
      "message: `${what}: ${messageOf(error)}${[...((error as { request?: { headers: Iterable<unknown> } })?.request?.headers ?? [])].join(' ')}`",
    killedBy: 'secrets',
  },
  {
    name: 'secret-values-in-the-history',
    file: 'src/activities/create-group.ts',
    find: "accepted(started, ports.now()), 'done', 'ARM accepted the create.')",
    replace: "accepted(started, ports.now()), 'done', JSON.stringify(spec))",
    killedBy: 'secrecy',
  },
  {
    name: 'newest-secret-instead-of-the-named-one',
    file: 'src/spec/bind-secrets.ts',
    find: 'version === newestVersion ? newest.get(secretRef)',
    replace: 'newest.has(secretRef) ? newest.get(secretRef)',
    killedBy: 'secrecy',
  },
];
