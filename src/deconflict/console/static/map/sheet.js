// The style of maps, loaded with the first screen that has one.

import { h } from "../shell/dom.js";

export const sheet = new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href: "/console/map/map.css", onload: resolve, onerror: resolve })));
