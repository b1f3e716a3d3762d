package io.github.loragraph.models;

import io.github.loragraph.data.LabelSet;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;

/**
 * RoBERTa classifiers (Liu et al., "RoBERTa: A Robustly Optimized BERT Pretraining Approach", 2019)
 * of full size with random weights, as PyTorch's exporter writes them: to measure speed and memory
 * with. Their answers mean nothing.
 *
 * @param hidden the width of the model
 * @param heads of attention
 * @param intermediate the width inside the feed-forward layers
 * @param positions rows of the position table, the two before the first token included
 */
public record ReferenceArchitecture(
    int hidden, int layers, int heads, int intermediate, int vocabulary, int positions, int labels)
    implements ReferenceModel {
  private static final int PADDING_ID = 1;

  @Override
  public OnnxModel model(long seed) {
    return new Writer(this, seed).write(labels);
  }

  @Override
  public ModelConfig config() {
    return ModelConfig.empty()
        .with("architectures", List.of("RobertaForSequenceClassification"))
        .with("model_type", "roberta")
        .with("hidden_size", hidden)
        .with("num_hidden_layers", layers)
        .with("num_attention_heads", heads)
        .with("intermediate_size", intermediate)
        .with("vocab_size", vocabulary)
        .with("max_position_embeddings", positions)
        .with("type_vocab_size", 1)
        .with("pad_token_id", PADDING_ID)
        .with("layer_norm_eps", ModelWriter.EPSILON)
        .with("hidden_act", "gelu")
        .withLabels(LabelSet.numbered(labels));
  }

  /** Writes one model, module by module. */
  private static final class Writer extends ModelWriter {
    private final ReferenceArchitecture size;
    private int anonymous = 100;

    Writer(ReferenceArchitecture size, long seed) {
      super(size.hidden, size.heads, seed);
      this.size = size;
    }

    @Override
    void modules() {
      String mask = mask();
      String x = embeddings();
      for (int layer = 0; layer < size.layers; layer++) {
        x = layer("roberta.encoder.layer." + layer, x, mask);
      }
      classifier(x);
    }

    /** 0 for tokens and the lowest number for padding, (batch, 1, 1, sequence). */
    private String mask() {
      b.setScope("/roberta");
      String column = maskOfKeys();
      String counted = b.cast(column, ElementType.FLOAT);
      return b.mul(
          b.sub(b.scalar(ElementType.FLOAT, 1), counted),
          b.scalar(ElementType.FLOAT, -Float.MAX_VALUE));
    }

    private String embeddings() {
      String path = "roberta.embeddings";
      b.setScope("/roberta/embeddings");
      String padding = b.scalar(ElementType.INT64, PADDING_ID);
      String real = b.cast(b.op("Not", b.op("Equal", "input_ids", padding)), ElementType.INT32);
      String count = b.op("CumSum", real, b.scalar(ElementType.INT64, 1));
      String position = b.add(b.cast(b.mul(count, real), ElementType.INT64), padding);
      String words = table(path + ".word_embeddings", size.vocabulary, "input_ids");
      String type = table(path + ".token_type_embeddings", 1, b.sub("input_ids", "input_ids"));
      String places = table(path + ".position_embeddings", size.positions, position);
      return norm(path + ".LayerNorm", b.add(b.add(words, type), places));
    }

    private String layer(String path, String x, String mask) {
      String self = path + ".attention.self";
      String query = heads(linear(self + ".query", x, size.hidden, size.hidden), 0, 2, 1, 3);
      String key = heads(linear(self + ".key", x, size.hidden, size.hidden), 0, 2, 3, 1);
      String value = heads(linear(self + ".value", x, size.hidden, size.hidden), 0, 2, 1, 3);
      b.setScope(scope(self));
      String flat = attended(query, key, value, mask);
      String attended = residual(path + ".attention.output", flat, size.hidden, x);
      String inner =
          gelu(
              path + ".intermediate.intermediate_act_fn",
              linear(path + ".intermediate.dense", attended, size.hidden, size.intermediate));
      return residual(path + ".output", inner, size.intermediate, attended);
    }

    private String residual(String path, String x, int in, String around) {
      String dense = linear(path + ".dense", x, in, size.hidden);
      b.setScope(scope(path));
      return norm(path + ".LayerNorm", b.add(dense, around));
    }

    /** A folded Linear: the weight is (in, out) and has lost its name, the bias comes first. */
    private String linear(String path, String x, int in, int out) {
      String weight = random.of("onnx::MatMul_" + anonymous++, 1 / Math.sqrt(in), 0, in, out);
      b.setScope(scope(path));
      return b.add(random.of(path + ".bias", 0.1, 0, out), b.matMul(x, weight));
    }

    private void classifier(String x) {
      b.setScope("/classifier");
      String first = b.gather(x, b.scalar(ElementType.INT64, 0), 1);
      String dense = headLinear("classifier.dense", first, size.hidden, size.hidden);
      b.setScope("/classifier");
      String out = headLinear("classifier.out_proj", b.op("Tanh", dense), size.hidden, size.labels);
      logits(out);
    }

    private String headLinear(String path, String x, int in, int out) {
      b.setScope(scope(path));
      return b.gemm(
          x,
          false,
          random.of(path + ".weight", 1 / Math.sqrt(in), 0, out, in),
          true,
          random.of(path + ".bias", 0.1, 0, out),
          1f);
    }
  }
}
