// Runs the executable with an empty home directory.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const EXECUTABLE = process.env.MSCOMMERCE;

// Every step takes a few seconds at most, even on a busy machine.
const TIMEOUT = 30_000;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// A home directory and the environment variables for the two services. `output` is everything that the executable printed.
export class TestEnv {
  output = '';

  static async start(t, entra, commerce) {
    assert.ok(EXECUTABLE, 'MSCOMMERCE is not set: start these tests with tests/e2e/run');
    const env = new TestEnv();
    env.home = await mkdtemp(join(tmpdir(), 'mscommerce-e2e-home-'));
    t.after(() => rm(env.home, { recursive: true, force: true }));
    env.test = t;
    env.environment = {
      PATH: process.env.PATH,
      HOME: env.home,
      MSCOMMERCE_HOME: join(env.home, 'state'),
      MSCOMMERCE_ENDPOINT: commerce.url,
      AZURE_AUTHORITY_HOST: entra.url,
      NO_PROXY: '*',
    };
    return env;
  }

  // Starts a command at the highest verbosity, which is the most likely to print a secret.
  start(args, environment = {}) {
    return new RunningCommand(this, [...args, '-vvv'], { ...this.environment, ...environment });
  }

  // Runs a command until it exits.
  run(args, environment) {
    return this.start(args, environment).exited();
  }

  get cachePath() {
    return join(this.home, 'state', 'sign-ins.json');
  }

  // Returns the cached sign-in.
  async cachedSignIn() {
    return JSON.parse(await readFile(this.cachePath, 'utf8')).profiles.default;
  }

  // Makes the cached access token expire in less than five minutes, so that the next command refreshes it.
  async expireTokenSoon() {
    const cache = JSON.parse(await readFile(this.cachePath, 'utf8'));
    for (const token of Object.values(cache.profiles.default.tenants)) {
      token.expiresAt = new Date(Date.now() + 299_000).toISOString();
    }
    await writeFile(this.cachePath, JSON.stringify(cache));
  }

  // Creates a browser script that saves the URL it is opened with.
  async fakeBrowser() {
    const [script, address] = [join(this.home, 'browser'), join(this.home, 'address')];
    await writeFile(script, `#!/bin/sh\nprintf %s "$1" > '${address}.part' && mv '${address}.part' '${address}'\n`);
    await chmod(script, 0o700);
    return { script, address: () => eventually(() => readFile(address, 'utf8'), 'the browser was not opened') };
  }
}

class RunningCommand {
  stdout = '';
  stderr = '';
  #listeners = new Set();

  constructor(testEnv, args, variables) {
    this.command = `mscommerce ${args.join(' ')}`;
    const child = spawn(EXECUTABLE, args, { env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        this[name] += text;
        testEnv.output += text;
        this.#listeners.forEach((listener) => listener());
      });
    }
    this.closed = once(child, 'close').then(([code]) => {
      running.delete(child);
      this.code = code;
      this.#listeners.forEach((listener) => listener());
    });
    testEnv.test.after(() => child.kill('SIGKILL'));
  }

  // Waits until standard error matches, and returns the match.
  waitForStderr(pattern) {
    const matched = new Promise((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(this.stderr);
        if (match) {
          resolve(match);
        } else if (this.code !== undefined) {
          reject(new Error(`${this.command} exited with ${this.code} before printing ${pattern}:\n${this.stderr}`));
        }
      };
      this.#listeners.add(check);
      check();
    });
    return withTimeout(matched, () => `${this.command} did not print ${pattern}:\n${this.stderr}`);
  }

  // Returns the printed URL of the sign-in page.
  async signInUrl() {
    const [address] = await this.waitForStderr(/^http\S+\/oauth2\/v2\.0\/authorize\?\S+(?=\n)/m);
    return address;
  }

  async exited() {
    await withTimeout(this.closed, () => `${this.command} did not exit:\n${this.stderr}`);
    return this;
  }

  expectCode(code) {
    assert.equal(this.code, code, `${this.command} exited with ${this.code} instead of ${code}:\n${this.stderr}`);
    return this;
  }

  json() {
    return JSON.parse(this.stdout);
  }
}

// Returns the value of the promise, or fails after the timeout.
export async function withTimeout(promise, message) {
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), TIMEOUT);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

// Repeats an attempt until it succeeds.
export async function eventually(attempt, message) {
  const deadline = Date.now() + TIMEOUT;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(message, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
