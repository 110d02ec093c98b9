import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import Console from "./Console.svelte";

const target = document.getElementById("console");
if (target) mount(Console, { target });
