package io.github.loragraph.models;

import io.github.loragraph.data.LabelSet;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
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
  private static final int OPSET = 17;
  private static final int IR_VERSION = 8;
  private static final int PADDING_ID = 1;
  private static final float EPSILON = 1e-5f;

  @Override
  public OnnxModel model(long seed) {
    return new Writer(this, seed).write();
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
        .with("layer_norm_eps", EPSILON)
        .with("hidden_act", "gelu")
        .withLabels(LabelSet.numbered(labels));
  }

  /** Writes one model, module by module. */
  private static final class Writer {
    private final ReferenceArchitecture size;
    private final Graph graph = new Graph();
    private final GraphBuilder b = new GraphBuilder(graph, "");
    private final RandomWeights random;
    private int anonymous = 100;

    Writer(ReferenceArchitecture size, long seed) {
      this.size = size;
      this.random = new RandomWeights(b, seed);
    }

    OnnxModel write() {
      Shape.Dimension batch = Shape.Dimension.named("batch");
      TensorType ids =
          new TensorType(
              ElementType.INT64, new Shape(List.of(batch, Shape.Dimension.named("sequence"))));
      graph.addInput(ValueInfo.of("input_ids", ids));
      graph.addInput(ValueInfo.of("attention_mask", ids));
      String mask = mask();
      String x = embeddings();
      for (int layer = 0; layer < size.layers; layer++) {
        x = layer("roberta.encoder.layer." + layer, x, mask);
      }
      classifier(x);
      graph.addOutput(
          ValueInfo.of(
              "logits",
              new TensorType(
                  ElementType.FLOAT, new Shape(List.of(batch, Shape.Dimension.of(size.labels))))));
      return OnnxModel.of("main_graph", graph, IR_VERSION, OPSET);
    }

    /** 0 for tokens and the lowest number for padding, (batch, 1, 1, sequence). */
    private String mask() {
      b.setScope("/roberta");
      String column = b.unsqueeze(b.unsqueeze("attention_mask", 1), 2);
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

    private String table(String path, int rows, String indices) {
      b.setScope(scope(path));
      return b.gather(random.of(path + ".weight", 0.5, 0, rows, size.hidden), indices, 0);
    }

    private String layer(String path, String x, String mask) {
      String self = path + ".attention.self";
      int width = size.hidden / size.heads;
      String query = heads(linear(self + ".query", x, size.hidden, size.hidden), 0, 2, 1, 3);
      String key = heads(linear(self + ".key", x, size.hidden, size.hidden), 0, 2, 3, 1);
      String value = heads(linear(self + ".value", x, size.hidden, size.hidden), 0, 2, 1, 3);
      b.setScope(scope(self));
      String scores = b.div(b.matMul(query, key), b.scalar(ElementType.FLOAT, Math.sqrt(width)));
      String weights = b.op("Softmax", n -> n.with("axis", -1), b.add(scores, mask));
      String context = b.transpose(b.matMul(weights, value), 0, 2, 1, 3);
      String flat = b.reshape(context, 0, 0, size.hidden);
      String attended = residual(path + ".attention.output", flat, size.hidden, x);
      String inner =
          gelu(
              path + ".intermediate",
              linear(path + ".intermediate.dense", attended, size.hidden, size.intermediate));
      return residual(path + ".output", inner, size.intermediate, attended);
    }

    private String heads(String x, long... permutation) {
      return b.transpose(b.reshape(x, 0, 0, size.heads, size.hidden / size.heads), permutation);
    }

    private String residual(String path, String x, int in, String around) {
      String dense = linear(path + ".dense", x, in, size.hidden);
      b.setScope(scope(path));
      return norm(path + ".LayerNorm", b.add(dense, around));
    }

    private String gelu(String path, String x) {
      b.setScope(scope(path) + "/intermediate_act_fn");
      String erf = b.op("Erf", b.div(x, b.scalar(ElementType.FLOAT, Math.sqrt(2))));
      String sum = b.add(erf, b.scalar(ElementType.FLOAT, 1));
      return b.mul(b.mul(x, sum), b.scalar(ElementType.FLOAT, 0.5));
    }

    /** A folded Linear: the weight is (in, out) and has lost its name, the bias comes first. */
    private String linear(String path, String x, int in, int out) {
      String weight = random.of("onnx::MatMul_" + anonymous++, 1 / Math.sqrt(in), 0, in, out);
      b.setScope(scope(path));
      return b.add(random.of(path + ".bias", 0.1, 0, out), b.matMul(x, weight));
    }

    private String norm(String path, String x) {
      b.setScope(scope(path));
      return b.op(
          "LayerNormalization",
          n -> n.with("axis", -1).with("epsilon", EPSILON),
          x,
          random.of(path + ".weight", 0.2, 1, size.hidden),
          random.of(path + ".bias", 0.1, 0, size.hidden));
    }

    private void classifier(String x) {
      b.setScope("/classifier");
      String first = b.gather(x, b.scalar(ElementType.INT64, 0), 1);
      String dense = headLinear("classifier.dense", first, size.hidden, size.hidden);
      b.setScope("/classifier");
      String out = headLinear("classifier.out_proj", b.op("Tanh", dense), size.hidden, size.labels);
      Node last = graph.requireProducer(out);
      graph.replace(last, last.withOutput(0, "logits"));
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

    private static String scope(String path) {
      return "/" + path.replace('.', '/').replaceAll("layer/(\\d+)", "layer.$1");
    }
  }
}
