package example;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Serves a merged model over HTTP by ONNX Runtime and a tokenizer alone: what lora-graph writes is
 * an ordinary ONNX file beside an ordinary {@code tokenizer.json}.
 */
public final class Server implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final HuggingFaceTokenizer tokenizer;
  private final List<String> labels;

  /**
   * @param folder with {@code model.onnx} and {@code tokenizer.json}
   * @param labels in the order of {@code id2label} in {@code config.json}
   */
  Server(Path folder, List<String> labels) throws OrtException, IOException {
    this.session = environment.createSession(folder.resolve("model.onnx").toString());
    this.tokenizer = HuggingFaceTokenizer.newInstance(folder.resolve("tokenizer.json"));
    this.labels = labels;
  }

  /** The label of a text. Sessions and tokenizers may be used by several threads at once. */
  String label(String text) throws OrtException {
    Encoding encoding = tokenizer.encode(text);
    Map<String, long[]> values =
        Map.of(
            "input_ids", encoding.getIds(),
            "attention_mask", encoding.getAttentionMask(),
            "token_type_ids", encoding.getTypeIds());
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try {
      for (String input : session.getInputNames()) {
        inputs.put(
            input, OnnxTensor.createTensor(environment, new long[][] {values.get(input)}));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        float[] logits = ((float[][]) result.get(0).getValue())[0];
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
          best = logits[i] > logits[best] ? i : best;
        }
        return labels.get(best);
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  @Override
  public void close() throws OrtException {
    tokenizer.close();
    session.close();
  }

  /**
   * Starts the server, asks it a few questions and stops it.
   *
   * @param args the folder of the model; that of the example {@code train} by default
   */
  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "../train/support-desk");
    ExecutorService threads = Executors.newFixedThreadPool(4);
    HttpServer http =
        HttpServer.create(new InetSocketAddress("localhost", 0), /* usual queue */ 0);
    try (Server server = new Server(folder, List.of("delivery", "invoice", "fault"))) {
      http.setExecutor(threads);
      http.createContext(
          "/",
          exchange -> {
            String text =
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            byte[] answer;
            int status = 200;
            try {
              answer = server.label(text).getBytes(StandardCharsets.UTF_8);
            } catch (OrtException e) {
              answer = "the model cannot be run".getBytes(StandardCharsets.UTF_8);
              status = 500;
            }
            exchange.sendResponseHeaders(status, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
          });
      http.start();
      for (String text :
          List.of(
              "The parcel is two weeks late.",
              "You have billed me twice.",
              "The lamp flickers and goes out.")) {
        HttpRequest question =
            HttpRequest.newBuilder(
                    URI.create("http://localhost:" + http.getAddress().getPort() + "/"))
                .POST(HttpRequest.BodyPublishers.ofString(text))
                .build();
        String label =
            HttpClient.newHttpClient()
                .send(question, HttpResponse.BodyHandlers.ofString())
                .body();
        System.out.println(label + "\t" + text);
      }
    } finally {
      http.stop(0);
      threads.shutdown();
    }
  }
}
