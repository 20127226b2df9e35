/* What the dialogs of the nodes share: validators, and the request behind a button. */
(function () {
  /** The kind of a `crm-config` that says none. */
  const USUAL_KIND = 'demo';

  /** `${NAME}`: Node-RED puts the environment variable in its place when the flow starts, so the dialog cannot judge it. */
  const isVariable = (value) => /^\$(\{\S+\}|\(\S+\))$/.test(String(value));

  /**
   * A validator for the editor. `check` gets the value (a text without blanks around it; '' when there is none) and the node as
   * `this`; it returns true, or says what is wrong. A variable is always right.
   */
  function rule(check) {
    // The editor takes a text for an error only from a function that declares both arguments.
    return function (value, opt) {
      const given = value === undefined || value === null ? '' : value;
      const judged = typeof given === 'object' ? given : String(given).trim();
      const verdict = isVariable(judged) || check.call(this, judged);
      return verdict === true ? true : (opt && opt.label ? opt.label + ': ' : '') + verdict;
    };
  }

  /** The rules for dialling, as the server reads them: patterns of numbers with their country code, and caps of calls a minute. */
  const arePatterns = (value) =>
    value
      .split(/[\s,;]+/)
      .filter(Boolean)
      .every((one) => /^(\+[1-9]\d{0,14}\*?|\*)$/.test(one.replace(/[()-]/g, '')));
  const isLimit = (value) => value === '' || (/^\d{1,5}$/.test(value) && value >= 1 && value <= 10000);

  /** A select is empty when it does not have the value, as in a flow older than the field: it shows the default then. */
  function fillSelects({ _def: { category, defaults } }) {
    const prefix = category === 'config' ? '#node-config-input-' : '#node-input-';
    for (const [name, { value }] of Object.entries(defaults)) {
      const select = $('select' + prefix + name);
      if (select.prop('selectedIndex') === -1) select.val(value);
    }
  }

  /** Brings what a button has written into sight; of what is longer than the dialog, its beginning. */
  const reveal = (place) => place.get(0).scrollIntoView({ block: 'nearest' });

  /** The language of the server's texts, by the catalogue that the dialog shows. */
  const language = (t) => (t('language') === 'ru' ? 'ru' : 'en');

  /**
   * Sends `body` to an admin route of the pack and disables the button meanwhile. `path`: the parts below `telephony-crm`.
   * `done` gets the answer; `fail` gets the server's own words, or those of `failed(status)` when it sent none.
   */
  function ask(t, { path, body, button, failed }, done, fail) {
    if (button) button.prop('disabled', true);
    // A relative address: only then the editor adds its token and the admin root.
    $.ajax({
      url: ['telephony-crm', ...path].map(encodeURIComponent).join('/'),
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(Object.assign({ lang: language(t) }, body)),
    })
      .done(done)
      .fail((answer) => {
        const error = answer.responseJSON && answer.responseJSON.error;
        fail(error && error.message ? error.message : failed(answer.status));
      })
      .always(() => {
        if (button) button.prop('disabled', false);
      });
  }

  window.telephonyCrmDialog = {
    USUAL_KIND,
    isVariable,
    rule,
    arePatterns,
    isLimit,
    fillSelects,
    reveal,
    language,
    ask,
  };
})();
