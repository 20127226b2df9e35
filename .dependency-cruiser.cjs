/** The layers of the house: nodes -> nodes/runtime -> lib, inside lib only downwards, no cycles. */
const pure = '^lib/(phone|presence|protocols|calls|queues|outbound|uccx)/';
const shared = '^lib/(messages/|(clock|errors|log|text|time-zone|turns|variables|channel-variables|web-address)[.]ts$)';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'lib-knows-no-nodes', severity: 'error', from: { path: '^lib/' }, to: { path: '^nodes/' } },
    {
      name: 'lib-knows-no-node-red',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: 'node_modules/(@node-red|node-red|@types/node-red|express)' },
    },
    {
      name: 'nodes-do-not-know-each-other',
      comment: 'What two nodes share lives in nodes/runtime or in lib.',
      severity: 'error',
      from: { path: '^nodes/[^/]+[.]ts$' },
      to: { path: '^nodes/[^/]+[.]ts$' },
    },
    {
      name: 'runtime-does-not-know-nodes',
      severity: 'error',
      from: { path: '^nodes/runtime/' },
      to: { path: '^nodes/[^/]+[.]ts$' },
    },
    {
      name: 'pure-rooms-do-no-io',
      severity: 'error',
      from: { path: pure },
      to: {
        dependencyTypes: ['core'],
        path: '^(node:)?(net|tls|http|https|fs|dgram|dns|child_process|timers|worker_threads)',
      },
    },
    {
      name: 'ami-below-all',
      severity: 'error',
      from: { path: '^lib/ami/' },
      to: { path: '^lib/', pathNot: ['^lib/ami/', shared] },
    },
    {
      name: 'phone-depends-on-nothing',
      severity: 'error',
      from: { path: '^lib/phone/' },
      to: { path: '^lib/', pathNot: ['^lib/phone/', shared] },
    },
    {
      name: 'protocols-depend-on-nothing',
      comment: 'But on the one rule of what can be dialled, which must not be written twice.',
      severity: 'error',
      from: { path: '^lib/protocols/' },
      to: { path: '^lib/', pathNot: ['^lib/protocols/', '^lib/phone/dialable[.]ts$', shared] },
    },
    {
      name: 'protocols-do-not-know-each-other',
      comment: 'One protocol = one file.',
      severity: 'error',
      from: { path: '^lib/protocols/([^/]+)[.]ts$', pathNot: '^lib/protocols/index[.]ts$' },
      to: { path: '^lib/protocols/', pathNot: '^lib/protocols/(types|errors|wire)[.]ts$' },
    },
    {
      name: 'trackers-see-only-ami-types',
      severity: 'error',
      from: { path: '^lib/(presence|calls|queues)/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(presence|calls|queues)/', '^lib/ami/types[.]ts$', '^lib/phone/', shared],
      },
    },
    {
      name: 'crm-does-not-know-the-pbx',
      severity: 'error',
      from: { path: '^lib/crm/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(crm|phone|http-out)/', '^lib/recordings/types[.]ts$', shared],
      },
    },
    {
      name: 'one-crm-one-file',
      severity: 'error',
      from: { path: '^lib/crm/kinds/([^/]+)[.]ts$', pathNot: '^lib/crm/kinds/index[.]ts$' },
      to: { path: '^lib/crm/kinds/' },
    },
    {
      name: 'http-in-serves-protocols',
      severity: 'error',
      from: { path: '^lib/http-in/' },
      to: { path: '^lib/', pathNot: ['^lib/(http-in|protocols)/', shared] },
    },
    {
      name: 'questions-see-only-what-is-asked-and-answered',
      severity: 'error',
      from: { path: '^lib/questions/' },
      to: { path: '^lib/', pathNot: ['^lib/questions/', '^lib/(protocols|routing)/types[.]ts$', shared] },
    },
    {
      name: 'agi-joins-link-and-protocol',
      comment: 'The link comes in from outside: whoever made it closes it.',
      severity: 'error',
      from: { path: '^lib/agi/' },
      to: { path: '^lib/', pathNot: ['^lib/(agi|protocols)/', '^lib/ami/types[.]ts$', shared] },
    },
    {
      name: 'routing-knows-no-link',
      comment: 'It asks the CRM account and the presence that it is given.',
      severity: 'error',
      from: { path: '^lib/routing/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(routing|phone)/', '^lib/crm/(account|types)[.]ts$', '^lib/presence/types[.]ts$', shared],
      },
    },
    {
      name: 'pbx-joins-the-rooms-of-one-asterisk',
      severity: 'error',
      from: { path: '^lib/pbx/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(pbx|ami|phone|presence|calls|queues|outbound|simulator)/', '^lib/store/types[.]ts$', shared],
      },
    },
    {
      name: 'store-knows-only-messages',
      severity: 'error',
      from: { path: '^lib/store/' },
      to: { path: '^lib/', pathNot: ['^lib/(store|phone)/', shared] },
    },
    {
      name: 'reports-read-the-store',
      severity: 'error',
      from: { path: '^lib/reports/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(reports|phone)/', '^lib/store/(types|errors|query|keeper)[.]ts$', shared],
      },
    },
    {
      name: 'delivery-joins-store-and-crm',
      severity: 'error',
      from: { path: '^lib/delivery/' },
      to: {
        path: '^lib/',
        pathNot: [
          '^lib/delivery/',
          '^lib/store/(types|errors)[.]ts$',
          '^lib/crm/(account|types|errors)[.]ts$',
          '^lib/recordings/(types|errors)[.]ts$',
          shared,
        ],
      },
    },
    {
      name: 'outbound-rules-know-only-numbers',
      severity: 'error',
      from: { path: '^lib/outbound/' },
      to: { path: '^lib/', pathNot: ['^lib/(outbound|phone)/', shared] },
    },
    {
      name: 'dialer-joins-store-and-link',
      comment: 'The link comes in from outside: whoever made it closes it.',
      severity: 'error',
      from: { path: '^lib/dialer/' },
      to: {
        path: '^lib/',
        pathNot: [
          '^lib/(dialer|outbound|phone|agi)/',
          '^lib/(ami|presence)/types[.]ts$',
          '^lib/ami/errors[.]ts$',
          '^lib/store/(types|errors)[.]ts$',
          shared,
        ],
      },
    },
    {
      name: 'control-sees-the-link-and-the-rules',
      severity: 'error',
      from: { path: '^lib/control/' },
      to: {
        path: '^lib/',
        pathNot: [
          '^lib/(control|outbound|phone)/',
          '^lib/ami/(types|errors)[.]ts$',
          '^lib/queues/(now|member)[.]ts$',
          shared,
        ],
      },
    },
    {
      name: 'agents-order-and-know-no-link',
      comment: 'Whoever makes the page hands in what carries the orders out.',
      severity: 'error',
      from: { path: '^lib/agents/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/agents/', '^lib/control/(order|types)[.]ts$', '^lib/queues/types[.]ts$', shared],
      },
    },
    {
      name: 'http-out-depends-on-nothing',
      comment: 'What every client of the pack needs, whomever it asks.',
      severity: 'error',
      from: { path: '^lib/http-out/' },
      to: { path: '^lib/', pathNot: ['^lib/http-out/', shared] },
    },
    {
      name: 'finesse-is-a-line-of-the-dialer',
      severity: 'error',
      from: { path: '^lib/finesse/' },
      to: { path: '^lib/', pathNot: ['^lib/(finesse|http-out)/', '^lib/dialer/types[.]ts$', shared] },
    },
    {
      name: 'uccx-makes-messages-of-rows',
      severity: 'error',
      from: { path: '^lib/uccx/' },
      to: { path: '^lib/', pathNot: ['^lib/(uccx|phone)/', shared] },
    },
    {
      name: 'recordings-know-no-pbx',
      severity: 'error',
      from: { path: '^lib/recordings/' },
      to: { path: '^lib/', pathNot: ['^lib/recordings/', shared] },
    },
    {
      name: 'replay-joins-what-is-pure',
      comment: 'It reads a file in the place of a link.',
      severity: 'error',
      from: { path: '^lib/replay/' },
      to: {
        path: '^lib/',
        pathNot: ['^lib/(replay|calls|presence|phone)/', '^lib/ami/(message|shape|transport|types)[.]ts$', shared],
      },
    },
    {
      name: 'messages-are-below-all',
      severity: 'error',
      from: { path: '^lib/messages/' },
      to: { path: '^lib/', pathNot: ['^lib/(messages|phone)/', '^lib/(clock|errors|log|time-zone)[.]ts$'] },
    },
    {
      name: 'simulator-stands-alone',
      comment: 'It plays the other side of the wire: sharing code with the client would hide the mistakes of both.',
      severity: 'error',
      from: { path: '^lib/simulator/' },
      to: { path: '^lib/', pathNot: ['^lib/simulator/', shared] },
    },
    {
      name: 'no-dev-dependencies',
      severity: 'error',
      from: { path: '^(lib|nodes)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: ['@types/', 'asterisk-manager'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
