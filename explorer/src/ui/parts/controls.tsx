/** Buttons, sliders and choices, each named in words. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "./Icon";

interface ButtonProps {
  icon?: IconName;
  label: string;
  /** Shown beside the icon, and part of the label, so that whoever speaks to the page can name what is seen. */
  text?: ComponentChildren;
  hotkey?: string;
  pressed?: boolean;
  primary?: boolean;
  disabled?: boolean;
  onClick: () => void;
}

export function Button({ icon, label, text, hotkey, pressed, primary, disabled, onClick }: ButtonProps) {
  const title = hotkey ? `${label} (${hotkey})` : label;
  return (
    <button
      type="button"
      class={`button${primary ? " primary" : ""}${text === undefined ? " bare" : ""}`}
      aria-label={label}
      aria-pressed={pressed}
      aria-keyshortcuts={hotkey}
      title={title}
      disabled={disabled}
      onClick={onClick}
    >
      {icon && <Icon name={icon} />}
      {text !== undefined && <span>{text}</span>}
    </button>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  shown?: string;
  ends?: [string, string];
  disabled?: boolean;
  onInput: (value: number) => void;
  onChange?: (value: number) => void;
}

export function Slider({ label, value, min, max, step, shown, ends, disabled, onInput, onChange }: SliderProps) {
  const id = useId();
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <output for={id}>{shown ?? value}</output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={disabled}
        aria-valuetext={shown}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
        onChange={(event) => onChange?.(event.currentTarget.valueAsNumber)}
      />
      {ends && (
        <div class="ends" aria-hidden="true">
          <span>{ends[0]}</span>
          <span>{ends[1]}</span>
        </div>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

/** One of a few: radio buttons that look like one piece. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {options.map(([key, words]) => (
        <label key={key} class={key === value ? "on" : ""}>
          <input type="radio" name={name} checked={key === value} onChange={() => onChange(key)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SelectProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  hideLabel?: boolean;
  onChange: (value: string) => void;
}

export function Select({ label, value, options, hideLabel, onChange }: SelectProps) {
  const id = useId();
  return (
    <div class="select">
      <label for={id} class={hideLabel ? "hidden" : ""}>
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, words]) => (
          <option key={key} value={key} selected={key === value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="section" aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Why something is not here. */
export function Absent({ title, reason }: { title: string; reason: string }) {
  return (
    <div class="absent">
      <h2>{title} is not available here</h2>
      <p>{reason}</p>
    </div>
  );
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
