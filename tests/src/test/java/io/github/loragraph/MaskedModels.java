package io.github.loragraph;

import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A tiny RoBERTa with its language-model head, a tokenizer of pieces of words, and texts. */
final class MaskedModels {
  static final int HIDDEN = 32;

  /** How a file holds the decoder's weight, which is that of the word embeddings. */
  enum Tie {
    /** One tensor, transposed on the way: exports by torch.onnx without constant folding. */
    SHARED,
    /** A transposed copy: exports with constant folding. */
    COPIED
  }

  private static final List<String> SPECIAL = List.of("<s>", "<pad>", "</s>", "<unk>", "<mask>");
  private static final List<String> WORDS =
      List.of(
          "the", "pump", "valve", "motor", "is", "was", "not", "open", "closed", "hot", "cold",
          "and", "a", "in", "of", "pipe", "leak", "press", "##ure", "##ing", "##ed", "##es", "turn",
          "check", "drain", "seal", "before", "after", "##s", "flow", ".");

  private MaskedModels() {}

  static int vocabulary() {
    return SPECIAL.size() + WORDS.size();
  }

  static int id(String token) {
    List<String> all = new ArrayList<>(SPECIAL);
    all.addAll(WORDS);
    return all.indexOf(token);
  }

  /** A folder with model, configuration and tokenizer. */
  static Path write(Path folder, Tie tie) throws IOException {
    Files.createDirectories(folder);
    OnnxFile.write(model(tie), folder.resolve("model.onnx"), false);
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "pad_token_id": 1,
         "max_position_embeddings": 26, "vocab_size": %d}
        """
            .formatted(vocabulary()));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer(true));
    return folder;
  }

  static OnnxModel model(Tie tie) {
    OnnxModel classifier =
        new ReferenceArchitecture(HIDDEN, 2, 2, 64, vocabulary(), 26, 2).model(0);
    Graph graph = classifier.graph().copy();
    String states =
        graph.nodes().stream()
            .filter(node -> node.is("LayerNormalization"))
            .reduce((first, second) -> second)
            .orElseThrow()
            .output(0);
    GraphBuilder b = new GraphBuilder(graph, "/lm_head");
    Random random = new Random(3);
    String dense =
        b.add(
            b.matMul(
                states, b.initializer(normal("onnx::MatMul_900", 0.2, random, HIDDEN, HIDDEN))),
            b.initializer(normal("lm_head.dense.bias", 0.1, random, HIDDEN)));
    String erf = b.op("Erf", b.div(dense, b.scalar(ElementType.FLOAT, Math.sqrt(2))));
    String gelu =
        b.mul(
            b.mul(dense, b.add(erf, b.scalar(ElementType.FLOAT, 1))),
            b.scalar(ElementType.FLOAT, 0.5));
    String normed =
        b.op(
            "LayerNormalization",
            n -> n.with("axis", -1).with("epsilon", 1e-5f),
            gelu,
            b.initializer(ones("lm_head.layer_norm.weight")),
            b.initializer(normal("lm_head.layer_norm.bias", 0.1, random, HIDDEN)));
    String table = "roberta.embeddings.word_embeddings.weight";
    String decoder =
        tie == Tie.SHARED
            ? b.transpose(table, 1, 0)
            : b.initializer(transposed("onnx::MatMul_901", graph.initializer(table)));
    String bias = b.initializer(normal("lm_head.bias", 0.1, random, vocabulary()));
    String logits = b.add(b.matMul(normed, decoder), bias);
    Node last = graph.requireProducer(logits);
    graph.replace(last, last.withOutput(0, "logits"));
    graph.clearOutputs();
    graph.addOutput(ValueInfo.of("logits", TensorType.of(ElementType.FLOAT, -1, -1, vocabulary())));
    graph.removeDeadNodes();
    return classifier.withGraph(graph);
  }

  private static Tensor normal(String name, double deviation, Random random, int... dims) {
    int count = 1;
    long[] shape = new long[dims.length];
    for (int i = 0; i < dims.length; i++) {
      count *= dims[i];
      shape[i] = dims[i];
    }
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    return Tensor.ofFloats(name, values, shape);
  }

  private static Tensor ones(String name) {
    float[] values = new float[HIDDEN];
    Arrays.fill(values, 1);
    return Tensor.ofFloats(name, values, HIDDEN);
  }

  private static Tensor transposed(String name, Tensor table) {
    float[] from = table.toFloats();
    float[] to = new float[from.length];
    int rows = (int) table.dim(0);
    for (int row = 0; row < rows; row++) {
      for (int i = 0; i < HIDDEN; i++) {
        to[i * rows + row] = from[row * HIDDEN + i];
      }
    }
    return Tensor.ofFloats(name, to, HIDDEN, rows);
  }

  /**
   * @param masks whether it has a mask token
   */
  static String tokenizer(boolean masks) {
    StringBuilder vocabulary = new StringBuilder();
    StringBuilder added = new StringBuilder();
    for (int i = 0; i < SPECIAL.size(); i++) {
      String name = SPECIAL.get(i);
      if (name.equals("<mask>") && !masks) {
        name = "<extra>";
      }
      vocabulary.append("%s\"%s\":%d".formatted(i == 0 ? "" : ",", name, i));
      added.append(
          """
          %s{"id":%d,"content":"%s","single_word":false,"lstrip":%s,"rstrip":false,
          "normalized":false,"special":true}
          """
              .formatted(i == 0 ? "" : ",", i, name, name.equals("<mask>")));
    }
    for (int i = 0; i < WORDS.size(); i++) {
      vocabulary.append(",\"%s\":%d".formatted(WORDS.get(i), SPECIAL.size() + i));
    }
    return """
    {"version": "1.0", "added_tokens": [%s], "normalizer": {"type": "Lowercase"},
     "pre_tokenizer": {"type": "Whitespace"},
     "post_processor": {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]},
     "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
     "model": {"type": "WordPiece", "unk_token": "<unk>", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100, "vocab": {%s}}}
    """
        .formatted(added, vocabulary);
  }

  /** Sentences in which a word follows from those around it, of several lengths. */
  static String texts(int lines, long seed) {
    Random random = new Random(seed);
    List<String> things = List.of("pump", "valve", "motor", "pipe", "seal");
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < lines; i++) {
      String thing = things.get(random.nextInt(things.size()));
      text.append("the %s is %s".formatted(thing, random.nextBoolean() ? "hot" : "pressing"));
      for (int more = random.nextInt(3); more > 0; more--) {
        text.append(" and the pipes of the %s was turned".formatted(thing));
      }
      text.append(" .\n");
    }
    return text.toString();
  }
}
