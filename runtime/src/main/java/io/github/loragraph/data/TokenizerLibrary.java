package io.github.loragraph.data;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.github.loragraph.cache.ToolCache;
import java.net.URL;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The native library of the tokenizers, out of the tool's cache. Left alone, their Java side
 * unpacks it where it likes, takes what lies there on trust, and may download another.
 */
final class TokenizerLibrary {
  private static final String FILE = "RUST_LIBRARY_PATH";
  private static final String LIBRARY = "tokenizers";

  /** What the library needs beside it. */
  private static final List<String> COMPANIONS =
      List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

  private static boolean prepared;

  private TokenizerLibrary() {}

  /**
   * Says where the library is, before the first tokenizer is made.
   *
   * @throws io.github.loragraph.error.LoraGraphException if the cache cannot be used
   */
  static synchronized void prepare() {
    if (prepared) {
      return;
    }
    System.setProperty("ai.djl.offline", "true");
    ToolCache cache = ToolCache.ofThisUser();
    String folder =
        "/native/lib/%s/cpu/"
            .formatted(platform(System.getProperty("os.name"), System.getProperty("os.arch")));
    Map<String, URL> files = new LinkedHashMap<>();
    String name = System.mapLibraryName(LIBRARY);
    for (String file : COMPANIONS) {
      URL resource = HuggingFaceTokenizer.class.getResource(folder + file);
      if (resource != null) {
        files.put(file, resource);
      }
    }
    URL library = HuggingFaceTokenizer.class.getResource(folder + name);
    if (library != null && !isSet(FILE)) {
      files.put(name, library);
      System.setProperty(FILE, cache.unpack("native/" + LIBRARY, files).resolve(name).toString());
    } else {
      for (String variable : List.of("DJL_CACHE_DIR", "ENGINE_CACHE_DIR")) {
        if (!isSet(variable)) {
          System.setProperty(variable, cache.folder("djl").toString());
        }
      }
    }
    prepared = true;
  }

  private static boolean isSet(String variable) {
    return System.getProperty(variable) != null || System.getenv(variable) != null;
  }

  /** As the jar names operating systems and processors. */
  private static String platform(String system, String processor) {
    String name = system.toLowerCase(Locale.ROOT);
    String prefix = name.contains("windows") ? "win" : name.contains("mac") ? "osx" : "linux";
    String suffix =
        switch (processor) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> processor;
        };
    return prefix + "-" + suffix;
  }
}
