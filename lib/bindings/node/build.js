// SPDX-License-Identifier: MIT
// Builds native/chronotick.node with the C compiler that is here, and no network: Node-API needs two
// headers, which come with Node.js (Debian: libnode-dev).
'use strict';

const {spawnSync} = require('child_process');
const fs = require('fs');
const path = require('path');

const taken = path.join(__dirname, 'include');
const licence = path.join(__dirname, 'LICENSE');
const tree = [path.join(__dirname, '../../include'), path.join(__dirname, '../../../kmod/uapi')];

function nodeHeaders() {
  const candidates = [
    process.env.npm_config_nodedir && path.join(process.env.npm_config_nodedir, 'include/node'),
    path.join(path.dirname(process.execPath), '../include/node'),
    '/usr/include/node',
    '/usr/include/nodejs/src',
  ];
  const found = candidates.find((dir) => dir && fs.existsSync(path.join(dir, 'node_api.h')));
  if (!found) {
    throw new Error('node_api.h is not here: install libnode-dev, or name the folder above ' +
                    'include/node in npm_config_nodedir');
  }
  return found;
}

// A package has the licence, and a copy of the library's headers, laid out as they are installed.
function takeHeaders() {
  leaveHeaders();
  fs.cpSync(tree[0], taken, {recursive: true});
  fs.copyFileSync(path.join(tree[1], 'chronotick_page.h'),
                  path.join(taken, 'chronotick/chronotick_page.h'));
  fs.copyFileSync(path.join(__dirname, '../../../LICENSES/MIT.txt'), licence);
}

function leaveHeaders() {
  fs.rmSync(taken, {recursive: true, force: true});
  fs.rmSync(licence, {force: true});
}

function build() {
  const includes = fs.existsSync(taken) ? [taken] : tree;
  const sources = fs.readdirSync(path.join(__dirname, 'src'))
      .filter((name) => name.endsWith('.c')).map((name) => path.join(__dirname, 'src', name));
  const target = path.join(__dirname, 'native');
  fs.mkdirSync(target, {recursive: true});
  const compiler = process.env.CC || 'cc';
  const args = [
    '-std=gnu11', '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-D_GNU_SOURCE',
    '-isystem', nodeHeaders(), ...includes.flatMap((dir) => ['-I', dir]), ...sources,
    '-o', path.join(target, 'chronotick.node'), '-lm',
  ];
  const run = spawnSync(compiler, args, {stdio: 'inherit'});
  if (run.error) throw new Error(`${compiler}: ${run.error.message}`);
  process.exitCode = run.status === null ? 1 : run.status;
}

const verbs = {'--take-headers': takeHeaders, '--leave-headers': leaveHeaders};
const verb = process.argv[2];
try {
  if (verb && !verbs[verb]) throw new Error(`usage: build.js [${Object.keys(verbs).join(' | ')}]`);
  (verbs[verb] || build)();
} catch (error) {
  console.error(`chronotick: ${error.message}`);
  process.exitCode = 1;
}
