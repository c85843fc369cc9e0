import { icon } from "./dom.js";

export const microphoneIcon = () => icon(
  "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Z", "M6 11a6 6 0 0 0 12 0", "M12 17v4", "M9 21h6",
);
export const stopIcon = () => icon("M7 7h10v10H7Z");
export const sendIcon = () => icon("M4 12h15", "M13 6l6 6-6 6");
export const closeIcon = () => icon("M6 6l12 12", "M18 6 6 18");
export const mutedIcon = () => icon(
  "M9 9v2a3 3 0 0 0 4.5 2.6", "M15 10V6a3 3 0 0 0-5.7-1.3", "M6 11a6 6 0 0 0 9.5 4.9", "M18 11a6 6 0 0 1-.6 2.6",
  "M12 17v4", "M4 3l16 18",
);
export const outIcon = () => icon("M8 6h10v10", "M18 6 7 17");
export const voiceIcon = () => icon("M4 10v4", "M8 7v10", "M12 4v16", "M16 7v10", "M20 10v4");
