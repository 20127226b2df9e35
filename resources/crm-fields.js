/* The input fields of a CRM kind, drawn from what the server says of them: for crm-config and crm-webhook-out. */
(function () {
  /** The value that stands in one input. */
  function valueOf(input) {
    if (input.is(':checkbox')) return input.is(':checked');
    if (input.hasClass('telephony-crm-table')) return rowsIn(input);
    if (!input.hasClass('telephony-crm-pairs')) return input.val();
    const rows = [];
    input.editableList('items').each(function () {
      const cells = $(this).find('input');
      rows.push({ name: cells.eq(0).val().trim(), value: cells.eq(1).val() });
    });
    return rows.filter((row) => row.name !== '');
  }

  /** The rows of a table that are not empty. */
  function rowsIn(list) {
    const rows = [];
    list.editableList('items').each(function () {
      const cells = $(this).find('[data-cell]').get();
      const row = Object.fromEntries(cells.map((cell) => [cell.dataset.cell, cell.disabled ? '' : cell.value.trim()]));
      if (Object.values(row).some(Boolean)) rows.push(row);
    });
    return rows;
  }

  /** What is wrong with the rows of a table, as the server would find: `{ row, column, problem }`; nothing when they are right. */
  function faultIn(spec, rows) {
    const { isVariable } = window.telephonyCrmDialog;
    const seen = new Set();
    for (const [index, row] of rows.entries()) {
      for (const column of spec.columns) {
        const cell = row[column.name] || '';
        const isOpen = !column.when || column.when.in.includes(row[column.when.field]);
        const at = { row: index + 1, column };
        if (!isOpen && cell) return Object.assign(at, { problem: 'empty' });
        if (isOpen && column.required && !cell) return Object.assign(at, { problem: 'missing' });
        if (column.type === 'whole' && cell && !isVariable(cell) && !/^-?\d{1,9}$/.test(cell))
          return Object.assign(at, { problem: 'whole' });
        if (cell.length > 100) return Object.assign(at, { problem: 'long' });
      }
      const keys = spec.columns.slice(0, spec.keys || 0).map((column) => (row[column.name] || '').toLowerCase());
      if (keys.length > 0 && seen.has(keys.join('\n')))
        return { row: index + 1, column: spec.columns[0], problem: 'twice' };
      seen.add(keys.join('\n'));
    }
    return undefined;
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

  function drawTable(row, spec, rows, words) {
    row.find('label').removeAttr('for').css('width', 'auto');
    const cellOf = (column, item) => {
      const cell =
        column.type === 'choice' ? $('<select>') : $('<input type="text">').attr('placeholder', words(column.label));
      for (const choice of column.choices || [])
        $('<option>').val(choice.value).text(words(choice.label)).appendTo(cell);
      if (column.type === 'whole') cell.attr('inputmode', 'numeric');
      cell.css({ flex: column.type === 'whole' ? 1 : 2, width: 'auto', minWidth: 0 });
      return cell
        .attr({ 'data-cell': column.name, 'aria-label': words(column.label) })
        .val(item[column.name] || (column.choices || [{ value: '' }])[0].value);
    };
    $('<ol class="telephony-crm-table">')
      .attr('data-setting', spec.name)
      .appendTo(row)
      .editableList({
        removable: true,
        height: 'auto',
        addItem: (container, _index, item) => {
          container.addClass('telephony-crm-row');
          for (const column of spec.columns) cellOf(column, item).appendTo(container);
          const arrangeRow = () => {
            for (const { name, when } of spec.columns) {
              if (when)
                container
                  .find('[data-cell="' + name + '"]')
                  .prop('disabled', !when.in.includes(container.find('[data-cell="' + when.field + '"]').val()));
            }
          };
          container.on('change', arrangeRow);
          arrangeRow();
        },
      })
      .editableList(
        'addItems',
        rows.map((item) => Object.assign({}, item)),
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
    else if (spec.type === 'table')
      drawTable(row, spec, Array.isArray(value) && value.length > 0 ? value : spec.default || [], words);
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

  window.telephonyCrmFields = { settingsIn, isShown, faultIn, draw, arrange };
})();
