import globals from 'globals';
import html from 'eslint-plugin-html';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.userdir/', '.cache/', 'node_modules/'] },
  {
    files: ['lib/**/*.ts', 'nodes/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A rejected listener would end Node-RED: facts of its runtime, see docs/decisions.
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      'max-lines': ['error', { max: 450, skipBlankLines: true }],
    },
  },
  {
    files: ['lib/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'RED', message: 'lib knows nothing of Node-RED.' }],
    },
  },
  {
    // Pure rooms: events in, events out. Time comes in as an argument.
    files: [
      'lib/phone/**/*.ts',
      'lib/presence/**/*.ts',
      'lib/protocols/**/*.ts',
      'lib/calls/**/*.ts',
      'lib/queues/**/*.ts',
      'lib/outbound/**/*.ts',
    ],
    rules: {
      'no-restricted-globals': ['error', 'RED', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'process'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'A pure room reads no clock.' },
        { object: 'performance', property: 'now', message: 'A pure room reads no clock.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'A pure room reads no clock.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      'max-lines': 'off',
    },
  },
  {
    files: ['scripts/**/*.mjs', 'bench/**/*.mjs', '*.mjs', '*.cjs'],
    extends: [tseslint.configs.recommended],
    languageOptions: { globals: globals.node },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // The page of agents: modules that the browser loads as they stand.
    files: ['nodes/agent-page/*.js'],
    extends: [tseslint.configs.recommended],
    languageOptions: { ecmaVersion: 2022, sourceType: 'module', globals: globals.browser },
    rules: { 'no-undef': 'error' },
  },
  {
    // The scripts inside the editor's HTML: plain ES2020, no second compiler.
    files: ['nodes/**/*.html', 'resources/**/*.js'],
    plugins: { html },
    extends: [tseslint.configs.recommended],
    languageOptions: {
      ecmaVersion: 2020,
      sourceType: 'script',
      globals: { ...globals.browser, RED: 'readonly', $: 'readonly' },
    },
    rules: {
      'no-undef': 'error',
      'no-implicit-globals': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { caughtErrors: 'none' }],
    },
  },
);
