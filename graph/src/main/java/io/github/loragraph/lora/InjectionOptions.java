package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import java.util.regex.Pattern;

/**
 * What adapters to put where.
 *
 * @param match is found anywhere in the module paths of the Linears to adapt
 * @param rank r, the inner size of the adapters
 * @param alpha the adapters count alpha / r
 * @param head is found anywhere in the module paths that are trained in full and never adapted
 * @param seed decides the random numbers of lora_A
 */
public record InjectionOptions(Pattern match, int rank, double alpha, Pattern head, long seed) {

  /**
   * The heads of Hugging Face's models for sequence classification, token classification and
   * question answering, as they stand at the top of the model: {@code classifier} (BERT, ALBERT),
   * {@code classifier.dense} and {@code classifier.out_proj} (RoBERTa, ELECTRA), {@code
   * pre_classifier} (DistilBERT), {@code classification_head} (BART), {@code score} (decoders),
   * {@code logits_proj} (XLNet), {@code qa_outputs}. A pooler belongs to the encoder.
   */
  public static final Pattern DEFAULT_HEAD =
      Pattern.compile(
          "^((model|module|base_model\\.model)\\.)?"
              + "(classifier|pre_classifier|classification_head|score|logits_proj|qa_outputs)"
              + "(\\.|$)");

  /**
   * @throws LoraGraphException if the rank is below 1, or alpha is no positive number for which
   *     alpha / rank can be written in 32 bits
   */
  public InjectionOptions {
    if (rank < 1) {
      throw new LoraGraphException("rank must be at least 1, but is " + rank + ": try 8");
    }
    float scale = (float) (alpha / rank);
    if (!(alpha > 0) || !(scale > 0) || Float.isInfinite(scale)) {
      throw new LoraGraphException(
          "alpha must be a positive number, but is " + alpha + ": try the rank, " + rank);
    }
  }
}
