package io.github.loragraph.models;

import io.github.loragraph.data.LabelSet;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import java.util.List;

/**
 * GPT-2 as a classifier (Radford et al., "Language Models are Unsupervised Multitask Learners",
 * 2019): each token attends to those before it, and the last one answers.
 *
 * @param hidden the width of the model
 * @param heads of attention
 * @param positions rows of the position table
 */
public record ReferenceDecoder(
    int hidden, int layers, int heads, int vocabulary, int positions, int labels)
    implements ReferenceModel {

  @Override
  public OnnxModel model(long seed) {
    return new Writer(this, seed).write(labels);
  }

  @Override
  public ModelConfig config() {
    return ModelConfig.empty()
        .with("architectures", List.of("GPT2ForSequenceClassification"))
        .with("model_type", "gpt2")
        .with("n_embd", hidden)
        .with("n_layer", layers)
        .with("n_head", heads)
        .with("n_positions", positions)
        .with("vocab_size", vocabulary)
        .with("pad_token_id", vocabulary - 1)
        .with("layer_norm_epsilon", ModelWriter.EPSILON)
        .with("activation_function", "gelu")
        .withLabels(LabelSet.numbered(labels));
  }

  /** Writes one model, module by module. */
  private static final class Writer extends ModelWriter {
    private final ReferenceDecoder size;

    Writer(ReferenceDecoder size, long seed) {
      super(size.hidden, size.heads, seed);
      this.size = size;
    }

    @Override
    void modules() {
      b.setScope("/transformer");
      String position =
          b.op(
              "Range",
              b.scalar(ElementType.INT64, 0),
              b.gather(b.shape("input_ids"), b.scalar(ElementType.INT64, 1), 0),
              b.scalar(ElementType.INT64, 1));
      String mask = mask(position);
      String x =
          b.add(
              table("transformer.wte", size.vocabulary, "input_ids"),
              table("transformer.wpe", size.positions, position));
      for (int layer = 0; layer < size.layers; layer++) {
        x = layer("transformer.h." + layer, x, mask);
      }
      score(norm("transformer.ln_f", x));
    }

    /** 0 for what a token sees, and the lowest number for the rest, (batch, 1, from, to). */
    private String mask(String position) {
      String before = b.op("LessOrEqual", position, b.unsqueeze(position, 1));
      String real = b.cast(maskOfKeys(), ElementType.BOOL);
      return b.where(
          b.op("And", before, real),
          b.scalar(ElementType.FLOAT, 0),
          b.scalar(ElementType.FLOAT, -Float.MAX_VALUE));
    }

    private String layer(String path, String x, String mask) {
      String attention = path + ".attn";
      String all = linear(attention + ".c_attn", norm(path + ".ln_1", x), size.hidden, 3);
      b.setScope(scope(attention));
      List<String> parts =
          b.ops("Split", 3, n -> n.with("axis", -1), all, b.longs(parts(size.hidden)));
      String query = heads(parts.get(0), 0, 2, 1, 3);
      String key = heads(parts.get(1), 0, 2, 3, 1);
      String value = heads(parts.get(2), 0, 2, 1, 3);
      String flat = attended(query, key, value, mask);
      String sum = b.add(linear(attention + ".c_proj", flat, size.hidden, 1), x);
      String inner = linear(path + ".mlp.c_fc", norm(path + ".ln_2", sum), size.hidden, 4);
      String active = gelu(path + ".mlp.act", inner);
      String out = linear(path + ".mlp.c_proj", active, 4L * size.hidden, 1);
      b.setScope(scope(path));
      return b.add(sum, out);
    }

    private static long[] parts(long hidden) {
      return new long[] {hidden, hidden, hidden};
    }

    /** Conv1D of transformers: a Linear on rows whose weight is (in, out). */
    private String linear(String path, String x, long in, long times) {
      long out = times * size.hidden;
      b.setScope(scope(path));
      String rows = b.reshape(x, -1, in);
      String y =
          b.gemm(
              rows,
              false,
              random.of(path + ".weight", 1 / Math.sqrt(in), 0, in, out),
              false,
              random.of(path + ".bias", 0.1, 0, out),
              1f);
      String leading = b.op("Slice", b.shape(x), b.longs(0), b.longs(2), b.longs(0));
      return b.reshape(y, b.concat(0, leading, b.longs(out)));
    }

    /** The logits of each row's last token that is none of padding. */
    private void score(String x) {
      b.setScope("/score");
      String all =
          b.matMul(
              x,
              b.transpose(
                  random.of(
                      "score.weight", 1 / Math.sqrt(size.hidden), 0, size.labels, size.hidden),
                  1,
                  0));
      b.setScope("");
      String last = b.sub(b.reduceSum("attention_mask", true, 1), b.scalar(ElementType.INT64, 1));
      String out = b.op("GatherND", n -> n.with("batch_dims", 1), all, last);
      logits(out);
    }
  }
}
