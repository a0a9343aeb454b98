// Everything a page does beyond HTML; each part leaves the page usable when it is missing.
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { closeMenus, startTheme, toTheEnd } from "./look.js";
import { startPalette } from "./palette.js";

startTheme();
closeMenus();
toTheEnd();
startPalette();
startKeys();
startLive();
