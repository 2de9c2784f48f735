// Starts the page: what the shop is, how the server is, then every part of the page.

import { get } from "./api.js";
import { showBasket } from "./basket.js";
import { watchConnection } from "./connection.js";
import { showDeveloper } from "./developer.js";
import { byId } from "./dom.js";
import { showFilters } from "./filters.js";
import { showHistory } from "./history.js";
import { showForYou } from "./for_you.js";
import { showSearch } from "./search.js";
import { change } from "./session.js";
import { chooseExample, showShopper } from "./shopper.js";
import { showTheme, showToolbar } from "./toolbar.js";
import { showWhy } from "./why.js";
import { named, some } from "./words.js";

const WIDE = "(min-width: 60rem)";
const AGAIN_MS = 2000;

async function start() {
  let shop;
  try {
    shop = await get("/api/shop");
  } catch (trouble) {
    byId("trouble").textContent = trouble.message;
    byId("trouble").hidden = false;
    setTimeout(start, AGAIN_MS);
    return;
  }
  byId("trouble").hidden = true;
  document.title = `${named(shop.shop)} · storefront`;
  byId("shop").textContent = named(shop.shop);
  byId("shop-size").textContent = some(shop.items, "item");
  for (const id of ["history-panel", "filters-panel"]) byId(id).open = matchMedia(WIDE).matches;
  change({ shop, moment: shop.moment });
  for (const show of [showToolbar, showShopper, showHistory, showFilters, showSearch, showForYou, showBasket, showWhy, showDeveloper]) show();
  watchConnection();
  await chooseExample();
}

showTheme();
start();
