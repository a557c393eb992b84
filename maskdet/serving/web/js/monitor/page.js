// The monitor page: what the server has seen, by hour, camera and version.

import { Api, forgetKey } from "../api.js";
import { errorText, labelName, languageTag, preferredLanguage, setLanguage, t } from "../i18n.js";
import { askKey, offerKey } from "../key.js";
import { Voice } from "../voice.js";
import { histogram } from "./histogram.js";
import { key } from "./svg.js";
import { table } from "./table.js";
import { bars, buckets, pictures, strips } from "./timeline.js";

const AGAIN_MS = 60_000;
const VERDICTS = ["ok", "violation", "uncertain"];
const ICONS = { stable: "✓", drift: "!", "too few": "…" };
const OUTCOMES = { stable: "ok", drift: "violation", "too few": "waiting" };
const UNTAGGED = "untagged";

const part = (id) => document.getElementById(id);

class Monitor {
  constructor() {
    this.view = null;
    this.turns = 0;
    this.voice = new Voice(part("notice"), part("status"), part("other-key"));
    this.api = new Api((wasWrong) => askKey(part("key-dialog"), wasWrong));
  }

  async start() {
    setLanguage(preferredLanguage());
    this.listen();
    this.fillSelects();
    await this.load();
    setInterval(() => this.waits() || void this.load(), AGAIN_MS);
  }

  /** Nobody looks, or a key is needed first: the dialog must not come up by itself. */
  waits() {
    return document.hidden || part("key-dialog").open || !part("other-key").hidden;
  }

  listen() {
    document.addEventListener("click", (event) => {
      const { action, language } = event.target.closest("button")?.dataset ?? {};
      if (action === "other-key") void this.useOtherKey();
      if (!language) return;
      setLanguage(language, { keep: true });
      if (this.view) this.show();
    });
    part("filters").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.load({ say: true });
    });
    part("model").addEventListener("change", () => part("version").replaceChildren(new Option("", "")));
    part("filters").addEventListener("change", () => void this.load({ say: true }));
    new ResizeObserver(() => this.view && this.drawTimes()).observe(part("work"));
  }

  asked() {
    const camera = part("camera").value;
    return {
      hours: part("hours").value,
      ...(part("model").value ? { model: part("model").value } : {}),
      ...(part("version").value ? { version: part("version").value } : {}),
      ...(camera ? { camera: camera === UNTAGGED ? "" : camera.slice(1) } : {}),
    };
  }

  async useOtherKey() {
    forgetKey();
    this.voice.tell("");
    await this.load();
  }

  async load({ say = false } = {}) {
    const turn = ++this.turns;
    try {
      const view = await this.api.monitor(this.asked());
      // An answer to what was chosen before must not replace the one to what is chosen now.
      if (turn !== this.turns) return;
      this.view = view;
      this.voice.warn("");
      this.show();
      if (say) this.voice.say(`${part("outlook-title").textContent}. ${part("outlook-text").textContent}`);
    } catch (error) {
      if (turn !== this.turns) return;
      this.voice.warn(errorText(error));
      offerKey(part("other-key"), error);
    }
  }

  show() {
    part("figures").hidden = false;
    this.fillSelects();
    this.showOutlook();
    this.showLegends();
    this.drawTimes();
    this.showFeatures();
    this.showTables();
    part("kept").textContent = t(this.view.kept ? "kept" : "notKept", { seconds: this.view.delay_seconds });
  }

  fillSelects() {
    const { models = [], model = "", versions = [], version = "", cameras = [] } = this.view ?? {};
    choices(part("model"), models.map((name) => [name, name]), model);
    const present = versions.map((one) => [one.version, titled(one)]);
    if (version && !versions.some((one) => one.version === version)) present.push([version, version]);
    choices(part("version"), present.reverse(), version);
    const chosen = part("camera").value;
    const tags = cameras.map(({ camera }) => (camera ? [`=${camera}`, camera] : [UNTAGGED, t("untagged")]));
    if (chosen && !tags.some(([value]) => value === chosen)) tags.push([chosen, chosen.slice(1)]);
    choices(part("camera"), [["", t("allCameras")], ...tags], chosen);
  }

  showOutlook() {
    const { features, hours } = this.view;
    const count = hours.reduce((sum, hour) => sum + pictures(hour), 0);
    const drifted = features.filter(({ drift }) => drift === "drift").map(({ feature }) => t(`feature.${feature}`));
    const few = features.filter(({ drift }) => drift === "too few").map(({ feature }) => t(`feature.${feature}`));
    const state = drifted.length ? "drift" : few.length || !features.length ? "too few" : "stable";
    part("outlook").dataset.outcome = OUTCOMES[state];
    part("outlook-icon").textContent = ICONS[state];
    part("outlook-title").textContent = t(`outlook.${state}`, { features: drifted.join(t("comma")) });
    const texts = [t("pictureCount", { count, number: number(count) })];
    if (count) texts.push(...VERDICTS.map((name) => `${t(`verdict.${name}`)} ${percent(sum(hours, name) / count)}`));
    if (few.length) texts.push(t("fewIn", { features: few.join(t("comma")) }));
    part("outlook-text").textContent = texts.join(" · ");
  }

  showLegends() {
    legend(part("verdict-legend"), VERDICTS.map((name) => [name, t(`verdict.${name}`)]));
    legend(part("drift-legend"), ["drift", "stable", "few"].map((name) => [name, t(`state.${name}`)]));
    legend(part("feature-legend"), [["val", t("onVal")], ["seen", t("seen")]]);
  }

  drawTimes() {
    const { view } = this;
    const width = Math.max(part("compliance").clientWidth, 200);
    if (!part("compliance").clientWidth) return;
    const slots = buckets(view, width);
    const shared = { width, slots, swaps: view.swaps, time: (seconds) => moment(seconds, view) };
    const share = (name) => (bucket) => bucket[name] / Math.max(pictures(bucket), 1);
    const most = 2 * Math.ceil(Math.max(1, ...slots.made.map(pictures)) / 2);
    const swapped = t("swapCount", { count: view.swaps.length });
    part("compliance").replaceChildren(
      bars({
        ...shared,
        height: 180,
        label: `${t("complianceTitle")}. ${swapped}`,
        series: VERDICTS.map((name) => ({ tone: name, value: share(name) })),
        top: 1,
        scale: percent,
      }),
    );
    part("volume").replaceChildren(
      bars({
        ...shared,
        height: 110,
        label: t("picturesOverTime"),
        series: [{ tone: "pictures", value: pictures }],
        top: most,
        scale: (value) => number(Math.round(value)),
      }),
    );
    const rows = view.features.map(({ feature }) => ({ feature, name: t(`feature.${feature}`) }));
    const left = width < 500 ? 88 : 130;
    part("drift").replaceChildren(strips({ ...shared, label: t("driftOverTime"), rows, left }));
  }

  showFeatures() {
    const { features } = this.view;
    part("no-reference").hidden = features.length > 0;
    part("features").replaceChildren(...features.map((feature) => this.card(feature)));
  }

  card(feature) {
    const item = document.createElement("li");
    const title = document.createElement("h3");
    title.append(t(`feature.${feature.feature}`), badge(feature.drift));
    const figures = document.createElement("p");
    figures.textContent = this.figures(feature);
    const label = `${t(`feature.${feature.feature}`)}: ${figures.textContent}`;
    item.append(title, histogram(feature, { label, name: labelName, edge: number }), figures);
    return item;
  }

  figures(feature) {
    const texts = [
      t("psiIs", { psi: decimals(feature.psi), limit: number(this.view.limit) }),
      t("samplesAre", { samples: number(feature.samples), reference: number(feature.reference) }),
    ];
    if (feature.drift === "too few") {
      texts.push(feature.least === null ? t("valTooSmall") : t("needs", { least: number(feature.least) }));
    }
    return texts.join(" · ");
  }

  /** The names of a version, by the first characters of its bundle's sha256. */
  known(version) {
    return names(this.view.versions.find((one) => one.version === version) ?? { version });
  }

  showTables() {
    const { view } = this;
    const counts = VERDICTS.map((name) => ({ head: t(`verdict.${name}`), number: true }));
    const of = (one) => VERDICTS.map((name) => number(one[name]));
    put("hours-table", t("complianceTitle"),
      [{ head: t("hour") }, ...counts, { head: t("requests"), number: true }, { head: t("faults"), number: true }, { head: t("driftIn") }],
      view.hours.map((hour) => [
        full(hour.start), ...of(hour), number(hour.requests), number(hour.faults),
        Object.keys(hour.drift).filter((name) => hour.drift[name] === "drift").map((name) => t(`feature.${name}`)).join(t("comma")) || "–",
      ]));
    put("features-table", t("featuresTitle"),
      [{ head: t("feature") }, { head: "PSI", number: true }, { head: t("chance"), number: true }, { head: t("seen"), number: true }, { head: t("onVal"), number: true }, { head: t("least"), number: true }, { head: t("drift") }],
      view.features.map((one) => [
        t(`feature.${one.feature}`), decimals(one.psi), decimals(one.chance), number(one.samples), number(one.reference),
        one.least === null ? "–" : number(one.least), badge(one.drift),
      ]));
    put("cameras-table", t("camerasTitle"), [{ head: t("camera") }, { head: t("drift") }, ...counts],
      view.cameras.map((one) => [one.camera || t("untagged"), badge(one.drift), ...of(one)]));
    put("versions-table", t("versionsTitle"), [{ head: t("version") }, { head: t("drift") }, { head: t("firstAnswer") }, ...counts],
      view.versions.map((one) => [
        titled(one), one.reference ? badge(one.drift) : t("noProfile"), full(one.since), ...of(one),
      ]));
    part("no-swaps").hidden = view.swaps.length > 0;
    part("swaps").replaceChildren(...view.swaps.map(({ at, old, new: next }) => {
      const item = document.createElement("li");
      item.textContent = t("swap", { at: full(at), old: this.known(old), next: this.known(next) });
      return item;
    }));
  }
}

function names({ registered, alias, version }) {
  return [registered, alias, version].filter(Boolean).join(" · ");
}

function titled(one) {
  return one.answering ? t("answering", { version: names(one) }) : names(one);
}

function put(id, caption, columns, rows) {
  part(id).replaceChildren(table(caption, columns, rows));
}

function choices(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value, false, value === chosen)));
  select.parentElement.hidden = pairs.length === 0;
}

function legend(list, entries) {
  list.replaceChildren(...entries.map(([tone, text]) => {
    const item = document.createElement("li");
    item.append(key(tone), text);
    return item;
  }));
}

function badge(verdict) {
  const made = document.createElement("span");
  const state = verdict === "too few" ? "few" : verdict;
  made.className = "state";
  made.dataset.state = state;
  made.textContent = t(`state.${state}`);
  return made;
}

function sum(hours, name) {
  return hours.reduce((total, hour) => total + hour[name], 0);
}

function number(value) {
  return new Intl.NumberFormat(languageTag(), { maximumSignificantDigits: 6 }).format(value);
}

function decimals(value) {
  const options = { minimumFractionDigits: 3, maximumFractionDigits: 3 };
  return value === null ? "–" : new Intl.NumberFormat(languageTag(), options).format(value);
}

function percent(share) {
  return new Intl.NumberFormat(languageTag(), { style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** A time on the axis: the hour in a day, else the day. */
function moment(seconds, view) {
  const short = view.until - view.since <= 2 * 86_400;
  const form = short ? { hour: "2-digit", minute: "2-digit" } : { month: "short", day: "numeric" };
  return new Intl.DateTimeFormat(languageTag(), form).format(new Date(seconds * 1000));
}

function full(seconds) {
  const form = { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(languageTag(), form).format(new Date(seconds * 1000));
}

void new Monitor().start();
