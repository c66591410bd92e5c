// The executable under test, on a machine where nobody has ever signed in.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXECUTABLE = process.env.MSCOMMERCE;

// Nothing here takes longer than a few seconds, even on a machine that is busy.
const PATIENCE = 30_000;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// A home of its own, which leads the executable to the two services. `said` is everything that it has said there.
export class Machine {
  said = '';

  static async start(t, entra, commerce) {
    assert.ok(EXECUTABLE, 'MSCOMMERCE names no executable: start these tests with tests/e2e/run');
    const machine = new Machine();
    machine.home = await mkdtemp(join(tmpdir(), 'mscommerce-e2e-home-'));
    t.after(() => rm(machine.home, { recursive: true, force: true }));
    machine.test = t;
    machine.environment = {
      PATH: process.env.PATH,
      HOME: machine.home,
      MSCOMMERCE_HOME: join(machine.home, 'state'),
      MSCOMMERCE_ENDPOINT: commerce.url,
      AZURE_AUTHORITY_HOST: entra.url,
      NO_PROXY: '*',
    };
    return machine;
  }

  // Starts a command at the highest verbosity, where a secret would show first.
  start(args, environment = {}) {
    return new Run(this, [...args, '-vvv'], { ...this.environment, ...environment });
  }

  // Runs a command to its end.
  run(args, environment) {
    return this.start(args, environment).ended();
  }

  // The saved sign-in.
  async saved() {
    const file = await readFile(join(this.home, 'state', 'sign-ins.json'), 'utf8');
    return JSON.parse(file).profiles.default;
  }

  // A stand-in for a browser: it writes down the address that it is told to open.
  async browserThatWrites() {
    const [script, address] = [join(this.home, 'browser'), join(this.home, 'address')];
    await writeFile(script, `#!/bin/sh\nprintf %s "$1" > '${address}.part' && mv '${address}.part' '${address}'\n`);
    await chmod(script, 0o700);
    return { script, address: () => eventually(() => readFile(address, 'utf8'), 'the browser was not opened') };
  }
}

class Run {
  stdout = '';
  stderr = '';
  #waiting = new Set();

  constructor(machine, args, env) {
    this.command = `mscommerce ${args.join(' ')}`;
    const child = spawn(EXECUTABLE, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        this[name] += text;
        machine.said += text;
        this.#waiting.forEach((look) => look());
      });
    }
    this.closed = once(child, 'close').then(([code]) => {
      running.delete(child);
      this.code = code;
      this.#waiting.forEach((look) => look());
    });
    machine.test.after(() => child.kill('SIGKILL'));
  }

  // Waits until standard error has something that fits, and returns what did.
  said(pattern) {
    const found = new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.stderr);
        if (match) {
          resolve(match);
        } else if (this.code !== undefined) {
          reject(new Error(`${this.command} ended (${this.code}) without saying ${pattern}:\n${this.stderr}`));
        }
      };
      this.#waiting.add(look);
      look();
    });
    return within(found, () => `${this.command} did not say ${pattern}:\n${this.stderr}`);
  }

  // The address to open, as it is printed.
  async address() {
    const [address] = await this.said(/^http\S+\/oauth2\/v2\.0\/authorize\?\S+(?=\n)/m);
    return address;
  }

  async ended() {
    await within(this.closed, () => `${this.command} did not end:\n${this.stderr}`);
    return this;
  }

  expectCode(code) {
    assert.equal(this.code, code, `${this.command} ended with ${this.code} rather than ${code}:\n${this.stderr}`);
    return this;
  }

  json() {
    return JSON.parse(this.stdout);
  }
}

// The promise's value, unless it takes too long.
export async function within(promise, complaint) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Tries until it succeeds.
export async function eventually(attempt, complaint) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) {
        throw new Error(complaint, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
