(function () {
  var search = document.getElementById("search"), severity = document.getElementById("severity"), rule = document.getElementById("rule"), count = document.getElementById("count");
  var sections = Array.prototype.slice.call(document.querySelectorAll("section.t")).map(function (element) {
    return { element: element, name: element.dataset.name, items: Array.prototype.slice.call(element.querySelectorAll("details")).map(function (item) {
      return { element: item, text: item.textContent.toLowerCase(), severity: item.dataset.s, rule: item.dataset.r };
    }) };
  });
  function apply() {
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    sections.forEach(function (section) {
      var some = 0;
      section.items.forEach(function (item) {
        var fits = (!severity.value || item.severity === severity.value || severity.value === "warning" && item.severity === "error") && (!rule.value || item.rule === rule.value) &&
          words.every(function (word) { return item.text.indexOf(word) >= 0 || section.name.indexOf(word) >= 0; });
        item.element.classList.toggle("hidden", !fits);
        if (fits) some++;
      });
      section.element.classList.toggle("hidden", some === 0);
      shown += some;
    });
    count.textContent = shown + (shown === 1 ? " finding" : " findings");
  }
  [search, severity, rule].forEach(function (control) { control.addEventListener("input", apply); });
  function open() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.classList.contains("hidden")) { search.value = severity.value = rule.value = ""; apply(); }
    if (target.tagName === "DETAILS") target.open = true;
    target.scrollIntoView({ block: "center" });
  }
  window.addEventListener("hashchange", open);
  Array.prototype.forEach.call(document.querySelectorAll("[data-rule]"), function (link) {
    link.addEventListener("click", function (event) { event.preventDefault(); rule.value = link.dataset.rule; apply(); document.getElementById("all").scrollIntoView(); });
  });
  apply(); open();
})();
