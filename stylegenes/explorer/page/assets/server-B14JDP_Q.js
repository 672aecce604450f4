async function r(){throw new Error("not yet")}export{r as openServer};
