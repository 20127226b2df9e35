/* The input fields of a CRM kind, drawn from what the server says of them: for crm-config and crm-webhook-out. */
(function () {
  /** The value that stands in one input. */
  function valueOf(input) {
    if (input.is(':checkbox')) return input.is(':checked');
    if (!input.hasClass('telephony-crm-pairs')) return input.val();
    const rows = [];
    input.editableList('items').each(function () {
      const cells = $(this).find('input');
      rows.push({ name: cells.eq(0).val().trim(), value: cells.eq(1).val() });
    });
    return rows.filter((row) => row.name !== '');
  }

  /** Everything that stands in an area; a field that is hidden keeps its value. */
  function settingsIn(area) {
    const settings = {};
    area.find('[data-setting]').each(function () {
      settings[this.dataset.setting] = valueOf($(this));
    });
    return settings;
  }

  function isShown(spec, settings) {
    return !spec.when || spec.when.in.includes(String(settings[spec.when.field]));
  }

  function drawPairs(row, spec, rows, label) {
    row.find('label').removeAttr('for').css('width', 'auto');
    $('<ol class="telephony-crm-pairs">')
      .attr('data-setting', spec.name)
      .appendTo(row)
      .editableList({
        removable: true,
        height: 'auto',
        addItem: (container, _index, item) => {
          container.addClass('telephony-crm-row');
          const cell = (key) => $('<input type="text">').attr({ 'aria-label': label(key), placeholder: label(key) });
          cell('pairName')
            .val(item.name || '')
            .appendTo(container);
          cell('pairValue')
            .val(item.value || '')
            .appendTo(container);
        },
      })
      .editableList(
        'addItems',
        (Array.isArray(rows) ? rows : []).map((item) => Object.assign({}, item)),
      );
  }

  /** Draws one field that is no secret. `words(text)`: a text in the reader's language; `label(key)`: a word of the dialog. */
  function draw(area, spec, saved, words, label) {
    const id = 'telephony-crm-setting-' + spec.name;
    const row = $('<div class="form-row">').attr('data-field', spec.name).appendTo(area);
    const value = saved === undefined ? spec.default : saved;
    // The blank is the gap that the rows of a template have.
    $('<label>').attr('for', id).text(words(spec.label)).appendTo(row).after(' ');
    let input;
    if (spec.type === 'pairs') drawPairs(row, spec, value, label);
    else if (spec.type === 'choice') {
      input = $('<select>');
      for (const choice of spec.choices || [])
        $('<option>').val(choice.value).text(words(choice.label)).appendTo(input);
    } else if (spec.type === 'flag')
      input = $('<input type="checkbox">')
        .css('width', 'auto')
        .prop('checked', value === true);
    else if (spec.type === 'multiline') input = $('<textarea rows="4">').css('width', '70%');
    else input = $('<input type="text">').attr('placeholder', spec.placeholder || '');
    if (input) input.attr({ id, 'data-setting': spec.name }).appendTo(row);
    if (input && spec.type !== 'flag') input.val(value === undefined ? '' : value);
    if (spec.help) $('<div class="telephony-crm-help">').text(words(spec.help)).appendTo(row);
  }

  /** Shows the fields that the values of the others ask for, now and at every change. */
  function arrange(area, specs) {
    const show = () => {
      const now = settingsIn(area);
      for (const spec of specs) area.find('[data-field="' + spec.name + '"]').toggle(isShown(spec, now));
    };
    area.off('.telephony').on('change.telephony input.telephony', '[data-setting]', show);
    show();
  }

  window.telephonyCrmFields = { settingsIn, isShown, draw, arrange };
})();
