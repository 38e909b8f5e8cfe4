import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import '../../src/app.js';
import { readConfig } from '../../src/platform/config/config.js';
import { settingNames } from '../../src/platform/config/settings.js';

const read = (path: string) => readFileSync(path, 'utf8');
const lines = (path: string) =>
  read(path)
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));

describe('.dockerignore', () => {
  const [first, ...others] = lines('.dockerignore');

  it('leaves out everything that it does not name', () => {
    expect(first).toBe('*');
    expect(others.filter((line) => !/^!\.?[\w/.-]+$/.test(line))).toEqual([]);
    expect(others.filter((line) => /\.env|\.data|\.git\b|node_modules/.test(line))).toEqual([]);
  });

  it('names exactly what the Dockerfile copies', () => {
    expect(copied().toSorted()).toEqual(others.map((line) => line.slice(1)).toSorted());
    expect(copied().filter((path) => !existsSync(path))).toEqual([]);
  });
});

/** The instructions of the Dockerfile, each on one line. */
const instructions = () =>
  lines('Dockerfile')
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
/** What the Dockerfile copies from the project. */
const copied = (): string[] => [
  ...new Set(
    instructions()
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1)),
  ),
];

describe('Dockerfile', () => {
  /** The instructions of the stage that becomes the image. */
  const last = instructions().slice(instructions().findLastIndex((line) => line.startsWith('FROM ')));
  const valueOf = (name: string) =>
    last.findLast((line) => line.startsWith(`${name} `))?.slice(name.length + 1);

  it('runs the server in production as a user that is not root', () => {
    expect(valueOf('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(last).toContain('ENV NODE_ENV=production');
    expect(JSON.parse(valueOf('CMD')!)).toEqual(['node', 'dist/src/main.js']);
    const { scripts } = JSON.parse(read('package.json'));
    expect(scripts['start:prod']).toBe('node dist/src/main.js');
  });

  it('uses one version of Node: that of .nvmrc', () => {
    const images = instructions().flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? []);
    expect([...new Set(images)]).toEqual([expect.stringMatching(`^node:${read('.nvmrc').trim()}-`)]);
  });

  it('checks the health without a shell and without the database', () => {
    const [program, option, script] = JSON.parse(/CMD (\[.*\])$/.exec(valueOf('HEALTHCHECK')!)![1]!);
    expect([program, option]).toEqual(['node', '-e']);
    expect(script).toContain('/health/live`');
  });
});

interface Service {
  profiles?: string[];
  build?: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  security_opt?: string[];
  cap_drop?: string[];
  read_only?: boolean;
  privileged?: boolean;
  healthcheck?: object;
}

describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as {
    services: Record<string, Service>;
    volumes: Record<string, null>;
  };
  const services = Object.entries(compose.services);
  const { environment } = compose.services['app']!;
  const withDefaults = (value: string) => value.replaceAll(/\$\{\w+:-(.*?)\}/g, '$1');

  it('starts PostgreSQL alone, unless a profile is named', () => {
    expect(services.filter(([, { profiles }]) => !profiles).map(([name]) => name)).toEqual(['postgres']);
  });

  it('sets only variables that exist, with values that the server accepts', () => {
    const names = Object.keys(environment!);
    expect(names.filter((name) => !settingNames().includes(name))).toEqual([]);
    const given = Object.entries(environment!).map(([name, value]) => [name, withDefaults(value)]);
    expect(readConfig(Object.fromEntries(given)).production).toBe(false);
    const taken = [...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map((match) => match[1]!);
    expect(taken.filter((name) => name !== 'POSTGRES_PASSWORD' && !names.includes(name))).toEqual([]);
  });

  it.each(services)('gives %s no further privileges', (name, service) => {
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.privileged).toBeUndefined();
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    // The entry point of PostgreSQL changes the owner of its data, and then its own user.
    if (name !== 'postgres') expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });

  it.each(services)('knows the health of %s, and all that it needs', (_name, service) => {
    // The image of the server has its own check.
    expect(service.healthcheck ?? service.build).toBeDefined();
    for (const needed of Object.keys(service.depends_on ?? {}))
      expect(compose.services[needed]!.healthcheck).toBeDefined();
    for (const volume of service.volumes ?? [])
      expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
  });
});

interface Job {
  permissions: Record<string, string>;
  steps: { uses?: string; run?: string }[];
}

describe('.github', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    permissions: object;
    jobs: Record<string, Job>;
  };
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it('runs .ci/run with the right to read, and nothing else', () => {
    expect(steps.map(({ run }) => run)).toContainEqual(expect.stringMatching(/ \.ci\/run$/));
    expect(workflow.permissions).toEqual({});
    for (const { permissions } of Object.values(workflow.jobs))
      expect(permissions).toEqual({ contents: 'read' });
    expect(read('.github/workflows/ci.yml')).not.toMatch(/pull_request_target|secrets\./);
  });

  it('names each action by its commit', () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((action) => !/^[\w/-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  it('updates every kind of dependency that is here', () => {
    const { updates } = parse(read('.github/dependabot.yml'));
    const kinds = updates.map((update: Record<string, string>) => update['package-ecosystem']);
    expect(kinds).toEqual(['npm', 'github-actions', 'docker', 'docker-compose']);
  });
});
