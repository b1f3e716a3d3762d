package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

/**
 * Puts files into S3, each under a name that its content has given it: what lies there must be that
 * content, since later submissions take it for theirs.
 *
 * @param kmsKey that they are encrypted by; empty for the bucket's own way
 * @param notes takes a line for each file
 */
record InputUpload(S3Client s3, Optional<String> kmsKey, Consumer<String> notes) {
  private static final String BYTES = "application/octet-stream";

  /**
   * Uploads a file, unless its content is there already.
   *
   * @return whether it was sent
   * @throws LoraGraphException if S3 refuses it, or the file is not what it was when the target was
   *     named
   */
  boolean send(Upload upload) {
    S3Location target = upload.target();
    if (isThere(target)) {
      notes.accept("%s is there already: %s".formatted(target, upload.file()));
      return false;
    }
    String sent = put(upload);
    if (!sent.equals(upload.checksum())) {
      // S3 itself has refused it by then; others that speak its language may not look.
      delete(upload, "holds");
      throw changed(upload);
    }
    notes.accept("uploaded %s to %s".formatted(upload.file(), target));
    return true;
  }

  /** Sends a file, and gives the checksum of what was sent. */
  private String put(Upload upload) {
    S3Location target = upload.target();
    try (FileContent content = new FileContent(upload.file())) {
      s3.putObject(
          put -> {
            put.bucket(target.bucket()).key(target.key()).checksumSHA256(base64(upload.checksum()));
            kmsKey.ifPresent(
                key -> put.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(key));
          },
          RequestBody.fromContentProvider(content, Files.size(upload.file()), BYTES));
      return content.checksum();
    } catch (SdkException e) {
      if (!Checksum.of(upload.file()).equals(upload.checksum())) {
        if (ServiceFailure.mayBeDone(e)) {
          delete(upload, "may hold");
        }
        throw changed(upload);
      }
      throw ServiceFailure.of("upload %s to %s".formatted(upload.file(), target), e);
    } catch (IOException e) {
      throw cannotRead(upload, e);
    } catch (UncheckedIOException e) {
      throw cannotRead(upload, Objects.requireNonNull(e.getCause()));
    }
  }

  private static LoraGraphException cannotRead(Upload upload, IOException e) {
    return new LoraGraphException(
        "cannot read %s: %s".formatted(upload.file(), AtomicFile.reason(e)), e);
  }

  private static String base64(String hexadecimal) {
    return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(hexadecimal));
  }

  private static LoraGraphException changed(Upload upload) {
    return new LoraGraphException(
        "%s has changed since its checksum was taken, and is not uploaded: submit again when it is whole"
            .formatted(upload.file()));
  }

  /** Takes away what is not the content that the address is named by. */
  private void delete(Upload upload, String holds) {
    S3Location target = upload.target();
    try {
      s3.deleteObject(delete -> delete.bucket(target.bucket()).key(target.key()));
    } catch (SdkException e) {
      throw ServiceFailure.of(
          "%s has changed while it was sent: delete %s, which %s other content, and submit again; deleting it here"
              .formatted(upload.file(), target, holds),
          e);
    }
  }

  private boolean isThere(S3Location target) {
    try {
      s3.headObject(head -> head.bucket(target.bucket()).key(target.key()));
      return true;
    } catch (SdkException e) {
      // Where there is more to it than that it is not there, the upload is told the reason.
      if (ServiceFailure.isRefused(e)) {
        return false;
      }
      throw ServiceFailure.of(target.toString(), e);
    }
  }
}
