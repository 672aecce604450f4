/** How codes are drawn: truncation, the label of a conditional model, and from where a 3D one is seen. */

import { computed, signal, type Signal } from "@preact/signals";
import type { ModelInfo } from "../backend/types";

export class LookState {
  readonly psi = signal(1);
  /** As looks write it, `0:1;7:0.5`. */
  readonly label: Signal<string>;
  readonly yaw = signal(0);
  readonly pitch = signal(0);

  constructor(private readonly model: ModelInfo | null) {
    this.label = signal(model?.label.replace("label=", "") ?? "");
  }

  /** The look as the pictures' addresses have it, defaults left out. */
  readonly text = computed(() => {
    const parts = [
      this.psi.value === 1 ? "" : `psi=${this.psi.value}`,
      this.label.value ? `label=${this.label.value}` : "",
      this.yaw.value ? `yaw=${this.yaw.value}` : "",
      this.pitch.value ? `pitch=${this.pitch.value}` : "",
    ];
    return parts.filter(Boolean).join(",") || "plain";
  });

  /** What a conditional model is told, and no more: how photos are taken in. */
  readonly told = computed(() => (this.label.value ? `label=${this.label.value}` : "plain"));

  read(text: string): void {
    const found = new Map(text.split(",").map((part) => part.split("=") as [string, string]));
    const number = (name: string, otherwise: number, most: number) => {
      const value = Number(found.get(name) ?? otherwise);
      return Number.isFinite(value) && Math.abs(value) <= most ? value : otherwise;
    };
    this.psi.value = number("psi", 1, 2);
    this.yaw.value = number("yaw", 0, 180);
    this.pitch.value = number("pitch", 0, 90);
    const label = found.get("label");
    if (label && isLabel(label, this.model?.label_dim ?? 0)) this.label.value = label;
  }
}

/** Whether a text is of columns that a model has, `0:1;7:0.5`. */
export function isLabel(text: string, columns: number): boolean {
  return text.split(";").every((part) => {
    const [column, value] = /^(\d{1,6})(?::(\d{1,3}(?:\.\d{1,9})?))?$/.exec(part)?.slice(1) ?? [];
    return column !== undefined && Number(column) < columns && Number(value ?? 1) <= 360;
  });
}
