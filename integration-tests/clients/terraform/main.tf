# What record.py applies, changes and destroys: each resource of S3 that Cofre has.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
}

variable "changed" {
  description = "Whether everything that can change in place has its second value."
  type        = bool
  default     = false
}

resource "aws_s3_bucket" "walk" {
  bucket        = "terraform-walk"
  force_destroy = true
  tags          = var.changed ? { team = "b", new = "yes" } : { team = "a" }
}

resource "aws_s3_bucket_versioning" "walk" {
  bucket = aws_s3_bucket.walk.id
  versioning_configuration {
    status = var.changed ? "Suspended" : "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "walk" {
  bucket = aws_s3_bucket.walk.id
  rule {
    object_ownership = var.changed ? "ObjectWriter" : "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_acl" "walk" {
  depends_on = [aws_s3_bucket_ownership_controls.walk, aws_s3_bucket_public_access_block.walk]
  bucket     = aws_s3_bucket.walk.id
  acl        = var.changed ? "private" : "public-read"
}

resource "aws_s3_bucket_public_access_block" "walk" {
  bucket                  = aws_s3_bucket.walk.id
  block_public_acls       = var.changed
  block_public_policy     = false
  ignore_public_acls      = var.changed
  restrict_public_buckets = false
}

resource "aws_s3_bucket_policy" "walk" {
  depends_on = [aws_s3_bucket_public_access_block.walk]
  bucket     = aws_s3_bucket.walk.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Read"
      Effect    = "Allow"
      Principal = "*"
      Action    = var.changed ? ["s3:GetObject", "s3:GetObjectVersion"] : ["s3:GetObject"]
      Resource  = ["${aws_s3_bucket.walk.arn}/public/*"]
    }]
  })
}

resource "aws_s3_bucket_cors_configuration" "walk" {
  bucket = aws_s3_bucket.walk.id
  cors_rule {
    id              = "site"
    allowed_methods = ["GET", "PUT"]
    allowed_origins = ["https://example.com"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = var.changed ? 60 : 3000
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "walk" {
  depends_on = [aws_s3_bucket_versioning.walk]
  bucket     = aws_s3_bucket.walk.id
  rule {
    id     = "logs"
    status = "Enabled"
    filter {
      and {
        prefix = "logs/"
        tags   = { keep = "no" }
      }
    }
    expiration {
      days = var.changed ? 31 : 30
    }
    noncurrent_version_expiration {
      noncurrent_days           = 7
      newer_noncurrent_versions = 2
    }
  }
  rule {
    id     = "uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "walk" {
  bucket = aws_s3_bucket.walk.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
    bucket_key_enabled = var.changed
  }
}

resource "aws_s3_bucket_website_configuration" "walk" {
  bucket = aws_s3_bucket.walk.id
  index_document {
    suffix = "index.html"
  }
  error_document {
    key = var.changed ? "lost.html" : "error.html"
  }
  routing_rule {
    condition {
      key_prefix_equals = "old/"
    }
    redirect {
      replace_key_prefix_with = "new/"
      http_redirect_code      = "302"
    }
  }
}

resource "aws_s3_bucket_request_payment_configuration" "walk" {
  bucket = aws_s3_bucket.walk.id
  payer  = var.changed ? "BucketOwner" : "Requester"
}

resource "aws_s3_bucket_accelerate_configuration" "walk" {
  bucket = aws_s3_bucket.walk.id
  status = var.changed ? "Suspended" : "Enabled"
}

resource "aws_s3_bucket" "logs" {
  bucket        = "terraform-logs"
  force_destroy = true
}

resource "aws_s3_bucket_logging" "walk" {
  bucket        = aws_s3_bucket.walk.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = var.changed ? "b/" : "a/"
  # What it is without this too; as other servers do, and unlike AWS, Cofre tells it even where it was not set.
  target_object_key_format {
    simple_prefix {}
  }
}

resource "aws_s3_bucket_notification" "walk" {
  bucket = aws_s3_bucket.walk.id
}

resource "aws_s3_object" "page" {
  depends_on   = [aws_s3_bucket_versioning.walk, aws_s3_bucket_server_side_encryption_configuration.walk]
  bucket       = aws_s3_bucket.walk.id
  key          = "public/index.html"
  content      = var.changed ? "<p>changed</p>" : "<p>made</p>"
  content_type = "text/html"
  metadata     = { made-by = "terraform" }
  tags         = var.changed ? { page = "2" } : { page = "1" }
}

resource "aws_s3_object_copy" "page" {
  bucket = aws_s3_bucket.walk.id
  key    = "public/copy.html"
  source = "${aws_s3_bucket.walk.id}/${aws_s3_object.page.key}"
  # A copy has its source's tags, on AWS too; the provider wants to know of none but its own.
  tagging_directive = "REPLACE"
  tags              = { copy = "yes" }
}

resource "aws_s3_bucket" "locked" {
  bucket              = "terraform-locked"
  object_lock_enabled = true
  force_destroy       = true
}

resource "aws_s3_bucket_object_lock_configuration" "locked" {
  bucket = aws_s3_bucket.locked.id
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.changed ? 2 : 1
    }
  }
}

resource "aws_s3_object" "locked" {
  depends_on                    = [aws_s3_bucket_object_lock_configuration.locked]
  bucket                        = aws_s3_bucket.locked.id
  key                           = "held"
  content                       = "held"
  force_destroy                 = true
  object_lock_legal_hold_status = var.changed ? "OFF" : "ON"
  lifecycle {
    # The bucket's default sets them, on AWS too.
    ignore_changes = [object_lock_mode, object_lock_retain_until_date]
  }
}

data "aws_s3_bucket" "walk" {
  bucket = aws_s3_bucket.walk.id
}

data "aws_s3_objects" "walk" {
  depends_on = [aws_s3_object.page]
  bucket     = aws_s3_bucket.walk.id
  prefix     = "public/"
}
