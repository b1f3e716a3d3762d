package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import java.util.regex.Pattern;

/**
 * What adapters to put where.
 *
 * @param selection which Linears get one
 * @param ranks their ranks and alphas
 * @param variant what they are besides
 * @param head is found anywhere in the module paths that are trained in full and never adapted
 * @param seed decides the random numbers of the start
 */
public record InjectionOptions(
    TargetSelection selection, LoraRanks ranks, LoraVariant variant, Pattern head, long seed) {

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
   * Plain LoRA of one rank.
   *
   * @param match is found anywhere in the module paths of the Linears to adapt
   * @throws LoraGraphException if the rank is below 1, or alpha is no positive number for which
   *     alpha / rank can be written in 32 bits
   */
  public InjectionOptions(Pattern match, int rank, double alpha, Pattern head, long seed) {
    this(TargetSelection.found(match), LoraRanks.of(rank, alpha), LoraVariant.PLAIN, head, seed);
  }

  /** The same adapters of another kind. */
  public InjectionOptions withVariant(LoraVariant other) {
    return new InjectionOptions(selection, ranks, other, head, seed);
  }
}
