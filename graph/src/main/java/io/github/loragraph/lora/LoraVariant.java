package io.github.loragraph.lora;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * How the adapters of a model differ from plain LoRA.
 *
 * @param useRslora whether they count alpha / sqrt(r), not alpha / r (Kalajdzievski, "A Rank
 *     Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023)
 * @param useDora whether each output feature has a trained magnitude (Liu et al., "DoRA:
 *     Weight-Decomposed Low-Rank Adaptation", 2024): y = m / |W + s A B| * x (W + s A B) + b, the
 *     norm over the input features, and constant to the gradient
 * @param init what the adapters are before training
 * @param bias which biases are trained with them
 */
@JsonPropertyOrder({"useRslora", "useDora", "init", "bias"})
public record LoraVariant(boolean useRslora, boolean useDora, LoraInit init, LoraBias bias) {
  /** LoRA as Hu et al. have it. */
  public static final LoraVariant PLAIN =
      new LoraVariant(false, false, LoraInit.NORMAL, LoraBias.NONE);

  /** What the product of the two matrices of an adapter is multiplied by. */
  public double scale(int rank, double alpha) {
    return alpha / (useRslora ? Math.sqrt(rank) : rank);
  }

  /** What {@link #scale} is made of, in words. */
  String scaleInWords() {
    return useRslora ? "alpha / sqrt(rank)" : "alpha / rank";
  }

  /** Whether the adapters are {@link #PLAIN}. */
  @JsonIgnore
  public boolean isPlain() {
    return equals(PLAIN);
  }
}
